import { Agent, request as httpsRequest } from "node:https";
import type { AzureSimulator, ServicePrincipal } from "../../../local/azure/azure-options";
import type { AzureFixture } from "./azure-fixture";

export const TENANT = "11111111-1111-4111-8111-111111111111";

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly text?: string;
}

/** Ends the connections to a simulator that is about to be closed. */
export const closeWire = (azure: AzureSimulator): void => agents.get(azure)?.destroy();

const agents = new WeakMap<AzureSimulator, Agent>();
const tokens = new WeakMap<AzureSimulator, Map<string, string>>();

function agentOf(azure: AzureSimulator): Agent {
  const agent = agents.get(azure) ?? new Agent({ keepAlive: true, ca: azure.caPem });
  agents.set(azure, agent);
  return agent;
}

/** A request as it stands: no client that repairs, retries or refuses it. */
export function send(
  { azure }: Pick<AzureFixture, "azure">,
  { method = "GET", path, headers, body, text }: RawRequest,
): Promise<RawReply> {
  const { promise, resolve, reject } = Promise.withResolvers<RawReply>();
  const url = new URL(azure.armUrl);
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const contentType = sent === undefined ? {} : { "Content-Type": "application/json" };
  const options = {
    host: "127.0.0.1",
    port: url.port,
    path,
    method,
    agent: agentOf(azure),
    headers: { ...contentType, ...headers },
  } as const;
  const request = httpsRequest(options, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const whole = Buffer.concat(chunks).toString("utf8");
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: whole ? parseBody(whole, response.headers["content-type"]) : undefined,
      });
    });
  });
  request.on("error", reject);
  request.end(sent);
  return promise;
}

/** JSON, but for the pages that are made for people. */
const parseBody = (whole: string, contentType = ""): unknown =>
  contentType.startsWith("text/html") ? whole : (JSON.parse(whole) as unknown);

export async function tokenFor(
  { azure }: Pick<AzureFixture, "azure">,
  { clientId, clientSecret }: ServicePrincipal,
  scope = "https://management.azure.com/.default",
): Promise<string> {
  const known = tokens.get(azure) ?? new Map<string, string>();
  tokens.set(azure, known);
  const key = `${clientId} ${scope}`;
  const token = known.get(key) ?? (await askToken(azure, { clientId, clientSecret, scope }));
  known.set(key, token);
  return token;
}

async function askToken(
  azure: AzureSimulator,
  { clientId, clientSecret, scope }: { clientId: string; clientSecret: string; scope: string },
): Promise<string> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    client_secret: clientSecret,
    scope,
  });
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const { body } = await send(
    { azure },
    { method: "POST", path: `/${TENANT}/oauth2/v2.0/token`, text: form.toString(), headers },
  );
  return (body as { access_token: string }).access_token;
}

/** Sends with the token of a principal, the owner by default, and an api-version. */
export async function call(
  fixture: Pick<AzureFixture, "azure" | "owner">,
  request: RawRequest & { readonly as?: ServicePrincipal },
): Promise<RawReply> {
  const token = await tokenFor(fixture, request.as ?? fixture.owner);
  const separator = request.path.includes("?") ? "&" : "?";
  return send(fixture, {
    ...request,
    path: `${request.path}${separator}api-version=2024-03-01`,
    headers: { Authorization: `Bearer ${token}`, ...request.headers },
  });
}

export const codeOf = ({ body }: RawReply): string | undefined =>
  (body as { error?: { code?: string } } | undefined)?.error?.code;

export const messageOf = ({ body }: RawReply): string =>
  (body as { error?: { message?: string } } | undefined)?.error?.message ?? "";
