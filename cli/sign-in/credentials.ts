import {
  AzureCliCredential,
  type AuthenticationRecord,
  ClientCertificateCredential,
  ClientSecretCredential,
  DeviceCodeCredential,
  InteractiveBrowserCredential,
  ManagedIdentityCredential,
  type TokenCredential,
} from "@azure/identity";
import { signInNeeded } from "../cli-error";
import type { Environment } from "../environment";
import type { Way } from "./way";

/** The tenant and application that somebody signs in to. */
export interface SignInTarget {
  readonly tenantId: string;
  /** Application of the CLI in Entra; needed by the ways in which a person signs in. */
  readonly clientId?: string | undefined;
  /** Another authority than Microsoft's, with the CA that it is known by. */
  readonly authority?: string | undefined;
  readonly ca?: string | undefined;
}

export interface SignInAsk {
  readonly target: SignInTarget;
  readonly environment: Environment;
  /** Who signed in before; without it a person is asked. */
  readonly record?: AuthenticationRecord | undefined;
  /** Where a person is told what to do. */
  readonly tell: (line: string) => void;
}

/** A person's sign-in: silent while what was kept of the last one is good. */
export type PersonCredential = InteractiveBrowserCredential | DeviceCodeCredential;

export function personCredential(way: "browser" | "device-code", ask: SignInAsk): PersonCredential {
  const { target, record, tell } = ask;
  const options = {
    ...authorityOf(target),
    tenantId: target.tenantId,
    ...(target.clientId !== undefined && { clientId: target.clientId }),
    ...(record && { authenticationRecord: record }),
    // Without a name: a name would stand for both caches, that of tokens with and of those without continuous evaluation.
    tokenCachePersistenceOptions: { enabled: true },
    // A command never opens a browser by itself: it says that signing in is needed.
    disableAutomaticAuthentication: true,
  };
  if (way === "browser") return new InteractiveBrowserCredential(options);
  return new DeviceCodeCredential({ ...options, userPromptCallback: ({ message }) => tell(message) });
}

/** The ways that ask nobody. */
export function unattendedCredential(way: Exclude<Way, "browser" | "device-code">, ask: SignInAsk): TokenCredential {
  const { target, environment } = ask;
  switch (way) {
    case "azure-cli":
      return new AzureCliCredential({ tenantId: target.tenantId });
    case "managed-identity":
      return environment.clientId === undefined
        ? new ManagedIdentityCredential()
        : new ManagedIdentityCredential({ clientId: environment.clientId });
    case "service-principal":
      return servicePrincipal(target, environment);
  }
}

function servicePrincipal(target: SignInTarget, environment: Environment): TokenCredential {
  const { clientId, clientSecret, clientCertificatePath: certificatePath } = environment;
  const options = authorityOf(target);
  if (clientId !== undefined && certificatePath !== undefined)
    return new ClientCertificateCredential(target.tenantId, clientId, { certificatePath }, options);
  if (clientId !== undefined && clientSecret !== undefined)
    return new ClientSecretCredential(target.tenantId, clientId, clientSecret, options);
  throw signInNeeded(
    "the service principal is not in the environment: set AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH",
  );
}

export function authorityOf({ authority, ca }: SignInTarget): object {
  return {
    // An authority that is not Microsoft's cannot be discovered at Microsoft's.
    ...(authority !== undefined && { authorityHost: authority, disableInstanceDiscovery: true }),
    ...(ca !== undefined && { tlsOptions: { ca } }),
  };
}
