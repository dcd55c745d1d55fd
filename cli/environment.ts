import { homedir } from "node:os";
import { join } from "node:path";

/** What the CLI takes from the environment. Only `environmentOf` reads it. */
export interface Environment {
  /** Of the signed-in user alone: who is signed in where, and his tokens. */
  readonly configFolder: string;
  readonly apiUrl: string | undefined;
  /** The service principal's own, as Azure's tools name them; never from a file or the command line. */
  readonly tenantId: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly clientCertificatePath: string | undefined;
}

export function environmentOf(env: NodeJS.ProcessEnv): Environment {
  const read = (name: string): string | undefined => env[name] || undefined;
  return {
    configFolder: read("CORRAL_CONFIG_DIR") ?? join(homedir(), ".config", "corral"),
    apiUrl: read("CORRAL_API_URL"),
    tenantId: read("AZURE_TENANT_ID"),
    clientId: read("AZURE_CLIENT_ID"),
    clientSecret: read("AZURE_CLIENT_SECRET"),
    clientCertificatePath: read("AZURE_CLIENT_CERTIFICATE_PATH"),
  };
}
