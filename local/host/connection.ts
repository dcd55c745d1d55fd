import type { TokenCredential } from "@azure/identity";
import type { Settings } from "./settings";

/** How a binding reaches its service (docs: Connections, Azure Functions developer guide). */
export type Connection =
  | { readonly kind: "string"; readonly connectionString: string }
  | { readonly kind: "identity"; readonly endpoint: string; credential(): Promise<TokenCredential> };

interface Wanted {
  readonly functionName: string;
  readonly name: string;
  readonly settings: Settings;
  /** What the setting is, for the message to people. */
  readonly what: string;
  /** Reads the endpoint of an identity-based connection from its settings, by their short names. */
  readonly endpoint: (property: (name: string) => string | undefined) => string | undefined;
}

/** Reads a connection by the name that a binding gives: one setting with a connection string, or several for an identity. */
export function connectionOf({ functionName, name, settings, what, endpoint }: Wanted): Connection {
  for (const prefix of [name, `AzureWebJobs${name}`, `ConnectionStrings:${name}`]) {
    const text = settings[prefix];
    if (text !== undefined && text !== "") return { kind: "string", connectionString: text };
    const property = (key: string): string | undefined => settings[`${prefix}__${key}`] ?? settings[`${prefix}:${key}`];
    const url = endpoint(property);
    if (url !== undefined) return { kind: "identity", endpoint: url, credential: () => credentialOf(property) };
  }
  throw new Error(`Function '${functionName}' needs the setting '${name}' (${what}), which is not set.`);
}

/** A secret where one is given, a managed identity where one is asked for, else whatever the environment offers. */
async function credentialOf(property: (name: string) => string | undefined): Promise<TokenCredential> {
  const { ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential } = await import("@azure/identity");
  const [clientId, tenantId, clientSecret] = [property("clientId"), property("tenantId"), property("clientSecret")];
  if (tenantId !== undefined && clientId !== undefined && clientSecret !== undefined)
    return new ClientSecretCredential(tenantId, clientId, clientSecret);
  if (property("credential")?.toLowerCase() === "managedidentity")
    return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
  return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
}
