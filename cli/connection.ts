import { readFileSync } from "node:fs";
import { deserializeAuthenticationRecord, type TokenCredential } from "@azure/identity";
import { refused, signInNeeded, usage } from "./cli-error";
import { loadConnection, type SavedConnection } from "./connection-file";
import { readDeployment } from "./deployment";
import type { Environment } from "./environment";
import { sessionOf } from "./sign-in/session";
import { keepTokensIn } from "./sign-in/token-cache";
import { isInteractive, isWay, type Way, WAYS } from "./sign-in/way";
import { connectToStack, DEFAULT_STACK_FILE, isStackThere } from "./stack-file";

/** A deployment of Corral, and who calls it. */
export interface Connection {
  readonly apiUrl: string;
  readonly armUrl: string;
  readonly tenantId: string;
  readonly audience: string;
  readonly org: string | undefined;
  readonly vaultUrl: string | undefined;
  readonly way: string;
  /** Set where the cloud is not Azure's own: the embedded stack. */
  readonly authority: string | undefined;
  readonly ca: string | undefined;
  readonly credential: TokenCredential;
}

/** The options that every command has. */
export interface ConnectOptions {
  readonly stack?: string | undefined;
  readonly as?: string | undefined;
  readonly api?: string | undefined;
  readonly "sign-in"?: string | undefined;
  readonly tenant?: string | undefined;
  readonly "client-id"?: string | undefined;
  readonly authority?: string | undefined;
  readonly ca?: string | undefined;
  readonly arm?: string | undefined;
  readonly org?: string | undefined;
}

export interface ConnectAsk {
  readonly options: ConnectOptions;
  readonly environment: Environment;
  readonly tell: (line: string) => void;
}

const AZURE_ARM = "https://management.azure.com";

/**
 * Where to and as whom: what the command line names, then who is signed in, then the stack that runs in this folder. `--sign-in` with an
 * address needs no login before it, for programs.
 */
export async function connect(ask: ConnectAsk): Promise<Connection> {
  const { options, environment } = ask;
  if (options.stack !== undefined || options.as !== undefined)
    return withOrg(connectToStack(options.stack ?? DEFAULT_STACK_FILE, options.as ?? "Owner"), options);
  const saved = loadConnection(environment.configFolder);
  const isUnattended =
    options["sign-in"] !== undefined || options.api !== undefined || environment.apiUrl !== undefined;
  if (isUnattended) return connectionOf(await described(ask, saved), ask);
  if (saved) return connectionOf(saved, ask);
  if (isStackThere()) return withOrg(connectToStack(DEFAULT_STACK_FILE, "Owner"), options);
  throw signInNeeded("nobody is signed in: corral login --api URL");
}

/** What `corral login` would keep, as far as it is known without signing in. */
export async function described(ask: ConnectAsk, saved?: SavedConnection): Promise<SavedConnection> {
  const { options, environment } = ask;
  const apiUrl = (options.api ?? environment.apiUrl ?? saved?.apiUrl)?.replace(/\/+$/, "");
  if (apiUrl === undefined) throw usage("--api URL is missing: where is the deployment?");
  if (!URL.canParse(apiUrl)) throw usage(`--api ${apiUrl} is not an address`);
  const way = wayOf(options["sign-in"] ?? saved?.way ?? "browser");
  if (saved?.apiUrl === apiUrl) return { ...saved, ...overridesOf(options), way };
  const facts = await readDeployment(apiUrl, caOf(options.ca));
  const tenantId = options.tenant ?? (way === "service-principal" ? environment.tenantId : undefined) ?? facts.tenantId;
  if (tenantId.toLowerCase() !== facts.tenantId.toLowerCase() && options.tenant === undefined)
    throw refused(`AZURE_TENANT_ID is not the deployment's tenant, which is ${facts.tenantId}: name it with --tenant`);
  const { audience } = facts;
  const clientId = facts.clientId;
  return { v: 1, apiUrl, tenantId, audience, way, ...(clientId && { clientId }), ...overridesOf(options) };
}

function overridesOf(options: ConnectOptions): Partial<SavedConnection> {
  const { tenant, "client-id": clientId, authority, ca, arm, org } = options;
  return {
    ...(tenant !== undefined && { tenantId: tenant }),
    ...(clientId !== undefined && { clientId }),
    ...(authority !== undefined && { authority }),
    ...(ca !== undefined && { caFile: ca }),
    ...(arm !== undefined && { armUrl: arm }),
    ...(org !== undefined && { org }),
  };
}

export function wayOf(text: string): Way {
  if (isWay(text)) return text;
  throw usage(`--sign-in ${text} is no way to sign in: one of ${WAYS.join(", ")}`);
}

export function caOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw usage(`--ca ${file} cannot be read`);
  }
}

export function connectionOf(saved: SavedConnection, ask: ConnectAsk): Connection {
  const { options, environment, tell } = ask;
  const known = { ...saved, ...overridesOf(options) };
  const { way, account, authority } = known;
  if (isInteractive(way) && account === undefined)
    throw signInNeeded(`--sign-in ${way} asks a person, once: corral login --api ${known.apiUrl} --sign-in ${way}`);
  keepTokensIn(environment.configFolder);
  const ca = caOf(known.caFile);
  const { tenantId, clientId } = known;
  const record = isInteractive(way) && account !== undefined ? deserializeAuthenticationRecord(account) : undefined;
  return {
    apiUrl: known.apiUrl,
    armUrl: known.armUrl ?? AZURE_ARM,
    audience: known.audience,
    org: known.org,
    vaultUrl: undefined,
    way,
    tenantId,
    authority,
    ca,
    credential: sessionOf(way, { target: { tenantId, clientId, authority, ca }, environment, record, tell }),
  };
}

const withOrg = (connection: Connection, { org }: ConnectOptions): Connection =>
  org === undefined ? connection : { ...connection, org };

/** The organization that a command is about. */
export function orgOf({ org }: Connection): string {
  if (org !== undefined) return org;
  throw usage("--org ORG is missing: name the organization, here or at corral login");
}
