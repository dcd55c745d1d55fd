import type { WireReply } from "../http/wire";
import type { IssuedToken } from "./token-issuer";

/** Version 1 endpoints answer with text and absolute times, version 2 with a number of seconds. */
export function tokenReply(
  { resource, ...more }: { readonly resource?: string; readonly [member: string]: unknown },
  { accessToken, expiresAt }: IssuedToken,
): WireReply {
  const endsAtSeconds = Math.floor(expiresAt.getTime() / 1000);
  const expiresIn = Math.max(0, Math.round(expiresAt.getTime() / 1000 - Date.now() / 1000));
  const times =
    resource === undefined
      ? { expires_in: expiresIn, ext_expires_in: expiresIn }
      : {
          expires_in: String(expiresIn),
          ext_expires_in: String(expiresIn),
          expires_on: String(endsAtSeconds),
          not_before: String(Math.floor(Date.now() / 1000) - 300),
          resource,
        };
  return {
    status: 200,
    headers: { "Cache-Control": "no-store, no-cache", Pragma: "no-cache" },
    body: { token_type: "Bearer", ...times, access_token: accessToken, ...more },
  };
}
