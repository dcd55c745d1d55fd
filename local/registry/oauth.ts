import { grantedAccess, hasAnyRight, type RegistryQuestion } from "./registry-access";
import { badTokenRequest, notFound, unauthorized } from "./registry-error";
import { readSmall, type RegistryFacts, type RegistryReply } from "./registry-request";
import type { RegistryTokens } from "./registry-tokens";
import type { IncomingMessage } from "node:http";

export interface OauthParts {
  readonly registry: RegistryFacts;
  readonly tokens: RegistryTokens;
  /** Object id of an Entra token's principal; undefined when it is not good for a registry. */
  readonly identify: (accessToken: string) => Promise<string | undefined>;
  readonly allows: (question: RegistryQuestion) => boolean;
}

/** The user name that stands for "my password is a refresh token": `az acr login --expose-token` prints it. */
const TOKEN_USER = "00000000-0000-0000-0000-000000000000";
const MAX_FORM_BYTES = 64 * 1024;

/** `/oauth2/exchange` and `/oauth2/token`: an Entra token becomes a refresh token, and that the access that its principal has. */
export async function answerOauth(parts: OauthParts, request: IncomingMessage, url: URL): Promise<RegistryReply> {
  const method = request.method ?? "";
  const endpoint = `${method} ${url.pathname.replace(/\/$/, "")}`;
  switch (endpoint) {
    case "POST /oauth2/exchange":
      return exchange(parts, await formOf(request));
    case "POST /oauth2/token":
      return tokenByForm(parts, await formOf(request));
    case "GET /oauth2/token":
      return tokenByLogin(parts, request.headers.authorization, url.searchParams.getAll("scope"));
    default:
      throw notFound();
  }
}

async function exchange(parts: OauthParts, form: URLSearchParams): Promise<RegistryReply> {
  if (!(form.get("grant_type") ?? "").startsWith("access_token")) throw badTokenRequest("grant_type is not supported");
  if (!form.get("service")) throw badTokenRequest("service is missing");
  const objectId = await parts.identify(form.get("access_token") ?? "");
  const { resourceId, loginServer } = parts.registry;
  if (objectId === undefined || !hasAnyRight({ resourceId, principalId: objectId, allows: parts.allows }))
    throw unauthorized("");
  return { status: 200, body: { refresh_token: await parts.tokens.issueRefresh(loginServer, objectId) } };
}

async function tokenByForm(parts: OauthParts, form: URLSearchParams): Promise<RegistryReply> {
  const scopes = form.getAll("scope").flatMap((scope) => scope.split(" "));
  const grant = form.get("grant_type");
  if (grant === "refresh_token") return token(parts, form.get("refresh_token") ?? "", scopes);
  if (grant !== "password") throw badTokenRequest("grant_type is not supported");
  // Without a user name it is somebody unknown, and this registry lets nobody pull who is unknown.
  if (form.get("username") !== TOKEN_USER) throw unauthorized("");
  return token(parts, form.get("password") ?? "", scopes);
}

/** As `docker` asks: https://distribution.github.io/distribution/spec/auth/token/ */
function tokenByLogin(
  parts: OauthParts,
  authorization: string | undefined,
  scopes: readonly string[],
): Promise<RegistryReply> {
  const [scheme = "", encoded = ""] = (authorization ?? "").split(" ");
  const [user, ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  if (scheme.toLowerCase() !== "basic" || user !== TOKEN_USER) throw unauthorized("");
  return token(parts, password.join(":"), scopes);
}

async function token(
  { registry, tokens, allows }: OauthParts,
  refreshToken: string,
  scopes: readonly string[],
): Promise<RegistryReply> {
  const { loginServer, resourceId } = registry;
  const known = await tokens.verify(refreshToken, { loginServer, kind: "refresh_token" });
  if (!known) throw unauthorized("");
  const { objectId } = known;
  const access = grantedAccess(scopes, { resourceId, principalId: objectId, allows });
  return { status: 200, body: { access_token: await tokens.issueAccess(loginServer, { objectId, access }) } };
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const body = await readSmall(request, MAX_FORM_BYTES);
  if (!body) throw badTokenRequest("the form is too large");
  return new URLSearchParams(body.toString("utf8"));
}
