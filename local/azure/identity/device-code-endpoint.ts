import type { WireReply, WireRequest } from "../http/wire";
import { parseClaimsRequest } from "./claims-request";
import { findClient } from "./clients";
import { EntraRefusal, malformedRequest, missingParameter } from "./entra-errors";
import { isFromElsewhere } from "./page-origin";
import { parseUserScopes } from "./scopes";
import { deviceCodePage, notePage, userPicker } from "./sign-in-page";
import type { TokenEndpointOptions } from "./token-endpoint";

const CODE_LIFE_SECONDS = 900;

/** Begins a sign-in on a device without a browser: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code */
export function beginDeviceCode(options: TokenEndpointOptions, { body }: WireRequest): WireReply {
  const { directory, grants, authority, deviceCodeIntervalSeconds: interval } = options;
  const form = new URLSearchParams(body.toString("utf8"));
  const clientId = form.get("client_id");
  if (!clientId) throw new EntraRefusal(missingParameter("client_id"));
  const client = findClient(directory, clientId);
  const resource = form.get("resource");
  const scope = form.get("scope") ?? (resource ? `${resource}/.default openid offline_access` : undefined);
  if (!scope) throw new EntraRefusal(missingParameter("scope"));
  parseUserScopes(directory, scope, client.clientId);
  const claims = form.get("claims") ?? undefined;
  if (!parseClaimsRequest(claims)) throw new EntraRefusal(malformedRequest());
  const { deviceCode, userCode } = grants.addDevice({
    clientId: client.clientId,
    scope,
    claims,
    state: "pending",
    userId: undefined,
    expiresAtMs: Date.now() + CODE_LIFE_SECONDS * 1000,
    polledAtMs: 0,
  });
  const page = `${authority()}/${directory.tenantId}/oauth2/v2.0/deviceauth`;
  return {
    status: 200,
    headers: { "Cache-Control": "no-store, no-cache" },
    body: {
      user_code: userCode,
      device_code: deviceCode,
      verification_uri: page,
      // Version 1 and on-premises servers call it so.
      verification_url: page,
      expires_in: CODE_LIFE_SECONDS,
      interval,
      message: `To sign in, use a web browser to open the page ${page} and enter the code ${userCode} to authenticate.`,
    },
  };
}

/** The page where the user types the code in, picks who to be, and agrees or declines. */
export function answerDevicePage(options: TokenEndpointOptions, request: WireRequest): WireReply {
  const { directory, grants, authority } = options;
  if (request.method !== "POST") {
    const picker = userPicker({ users: directory.users(), hint: undefined });
    return deviceCodePage({ picker, userCode: request.query.get("user_code") ?? "" });
  }
  const form = new URLSearchParams(request.body.toString("utf8"));
  if (isFromElsewhere(request, authority()))
    return notePage("That did not work", "The form came from another site.", 403);
  const isDeclined = form.get("decision") === "decline";
  const user = directory.findUser(form.get("user") ?? "");
  if (!user && !isDeclined) return notePage("That did not work", "There is no such user in the directory.", 400);
  const decision = isDeclined
    ? ({ state: "declined", userId: undefined } as const)
    : ({ state: "approved", userId: user?.objectId } as const);
  if (!grants.decideDevice(form.get("user_code") ?? "", decision))
    return notePage("That code did not work", "Check the code and try again.", 400);
  return isDeclined
    ? notePage("You have declined", "The device is told so.")
    : notePage("You have signed in on your device", "You may close this window.");
}
