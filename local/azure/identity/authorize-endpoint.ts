import type { WireReply, WireRequest } from "../http/wire";
import { parseClaimsRequest } from "./claims-request";
import { type Client, findClient, mayRedirectTo } from "./clients";
import { EntraRefusal, malformedRequest, missingParameter } from "./entra-errors";
import type { AuthorizationCode } from "./grant-store";
import { isFromElsewhere } from "./page-origin";
import { parseUserScopes } from "./scopes";
import {
  noUserForPrincipal,
  pkceWrong,
  redirectNotRegistered,
  responseTypeUnknown,
  signInNeeded,
  userDeclined,
} from "./sign-in-errors";
import { formPostPage, notePage, signInPage, userPicker } from "./sign-in-page";
import type { TokenEndpointOptions } from "./token-endpoint";

const CODE_LIFE_MS = 10 * 60 * 1000;

const FIELDS = [
  "client_id",
  "redirect_uri",
  "response_type",
  "response_mode",
  "scope",
  "state",
  "nonce",
  "code_challenge",
  "code_challenge_method",
  "claims",
  "resource",
];

/** Authorization code with PKCE: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow */
export function answerAuthorize(options: TokenEndpointOptions, request: WireRequest): WireReply {
  const isPost = request.method === "POST";
  const asked = isPost ? new URLSearchParams(request.body.toString("utf8")) : request.query;
  const { client, redirectUri } = admitClient(options, asked);
  // From here on the client's address is known to be its own: it is told what went wrong.
  try {
    const code = readRequest(options, { asked, client, redirectUri });
    if (!isPost) return show(options, asked, client);
    if (isFromElsewhere(request, options.authority())) throw new EntraRefusal(malformedRequest());
    return back(asked, redirectUri, { code: grant(options, asked, code) });
  } catch (error) {
    if (!(error instanceof EntraRefusal)) throw error;
    const { error: reason, error_description: description } = error.reply.body as Readonly<Record<string, string>>; // of entraError
    return back(asked, redirectUri, { error: reason ?? "", error_description: description ?? "" });
  }
}

/** Refusals before that are shown to the person, as the address may be a thief's. */
function admitClient({ directory }: TokenEndpointOptions, asked: URLSearchParams) {
  const client = findClient(directory, needed(asked, "client_id"));
  const redirectUri = needed(asked, "redirect_uri");
  if (!mayRedirectTo(client, redirectUri)) throw redirectNotRegistered(redirectUri, client.clientId);
  return { client, redirectUri };
}

export const refusalPage = ({ reply }: EntraRefusal): WireReply => {
  const { error_description: description = "" } = (reply.body ?? {}) as Readonly<Record<string, string>>; // of entraError
  return notePage("Sorry, but we're having trouble signing you in.", description, reply.status);
};

function readRequest(
  { directory }: TokenEndpointOptions,
  { asked, client, redirectUri }: { asked: URLSearchParams; client: Client; redirectUri: string },
): Omit<AuthorizationCode, "userId"> {
  const responseType = needed(asked, "response_type");
  if (responseType !== "code") throw responseTypeUnknown(responseType);
  const resource = asked.get("resource");
  const scope = asked.get("scope") ?? (resource ? `${resource}/.default openid offline_access` : undefined);
  if (!scope) throw new EntraRefusal(missingParameter("scope"));
  parseUserScopes(directory, scope, client.clientId);
  const claims = asked.get("claims") ?? undefined;
  if (!parseClaimsRequest(claims)) throw new EntraRefusal(malformedRequest());
  return {
    clientId: client.clientId,
    redirectUri,
    scope,
    claims,
    nonce: asked.get("nonce") ?? undefined,
    challenge: readChallenge(asked),
    expiresAtMs: Date.now() + CODE_LIFE_MS,
    isRedeemed: false,
  };
}

function readChallenge(asked: URLSearchParams): AuthorizationCode["challenge"] {
  const value = asked.get("code_challenge");
  if (value === null) return undefined;
  const method = asked.get("code_challenge_method") ?? "plain";
  if ((method !== "S256" && method !== "plain") || !/^[\w.~-]{43,128}$/.test(value)) throw pkceWrong();
  return { value, method };
}

function show({ directory }: TokenEndpointOptions, asked: URLSearchParams, client: Client): WireReply {
  // Nobody stays signed in here: there is no session that could answer silently.
  if (asked.get("prompt") === "none") throw signInNeeded();
  const fields = FIELDS.flatMap((name) => (asked.has(name) ? [[name, asked.get(name) ?? ""]] : []));
  const picker = userPicker({ users: directory.users(), hint: asked.get("login_hint") ?? undefined });
  return signInPage(client.displayName, { picker, fields: Object.fromEntries(fields) as Record<string, string> });
}

function grant(
  { directory, grants }: TokenEndpointOptions,
  asked: URLSearchParams,
  code: Omit<AuthorizationCode, "userId">,
): string {
  if (asked.get("decision") === "decline") throw userDeclined();
  const name = needed(asked, "user");
  const user = directory.findUser(name);
  if (!user) throw noUserForPrincipal(name, directory.tenantId);
  return grants.codes.add({ ...code, userId: user.objectId });
}

/** The answer goes to the client by way of the browser, in the form that it asked for. */
function back(asked: URLSearchParams, redirectUri: string, fields: Readonly<Record<string, string>>): WireReply {
  const state = asked.get("state");
  const all = { ...fields, ...(state === null ? {} : { state }) };
  const mode = asked.get("response_mode") ?? "query";
  if (mode === "form_post") return formPostPage(redirectUri, all);
  const url = new URL(redirectUri);
  if (mode === "fragment") url.hash = new URLSearchParams(all).toString();
  else for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  return { status: 302, headers: { Location: url.href, "Cache-Control": "no-store" } };
}

function needed(asked: URLSearchParams, name: string): string {
  const value = asked.get(name);
  if (!value) throw new EntraRefusal(missingParameter(name));
  return value;
}
