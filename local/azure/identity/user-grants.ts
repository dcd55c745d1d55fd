import { createHash } from "node:crypto";
import type { ProvenClient } from "./client-authentication";
import type { Directory, Principal } from "./directory";
import { EntraRefusal, missingParameter } from "./entra-errors";
import type { GrantStore } from "./grant-store";
import {
  authorizationDeclined,
  authorizationPending,
  codeExpired,
  codeOfAnother,
  codeRedeemed,
  deviceCodeExpired,
  grantRevoked,
  noUserForPrincipal,
  redirectDiffers,
  refreshTokenOfAnother,
  refreshTokenOld,
  slowDown,
  wrongCode,
  wrongDeviceCode,
  wrongRefreshToken,
  wrongVerifier,
} from "./sign-in-errors";

interface GrantOptions {
  readonly directory: Directory;
  readonly grants: GrantStore;
}

/** A user who has let a client act. */
export interface UserGrant {
  readonly user: Principal;
  /** What was agreed to; a request may ask for something else of it. */
  readonly scope: string;
  readonly nonce?: string | undefined;
  /** The `claims` of the sign-in, where the request for tokens brings none. */
  readonly claims?: string | undefined;
}

export function redeemCode({ directory, grants }: GrantOptions, { client }: ProvenClient, form: URLSearchParams) {
  const secret = required(form, "code");
  const code = grants.codes.find(secret);
  if (!code) throw wrongCode();
  if (code.clientId.toLowerCase() !== client.clientId.toLowerCase()) throw codeOfAnother();
  if (code.isRedeemed) throw codeRedeemed();
  if (code.expiresAtMs <= Date.now()) throw codeExpired();
  const redirectUri = required(form, "redirect_uri");
  if (redirectUri !== code.redirectUri) throw redirectDiffers(redirectUri);
  if (code.challenge && !answersChallenge(required(form, "code_verifier"), code.challenge)) throw wrongVerifier();
  grants.codes.replace(secret, { ...code, isRedeemed: true });
  const { scope, nonce, claims } = code;
  return { user: userOf(directory, code.userId), scope, nonce, claims };
}

/** Proof Key for Code Exchange, RFC 7636: who redeems the code is who asked for it. */
const answersChallenge = (verifier: string, challenge: { value: string; method: "S256" | "plain" }): boolean =>
  challenge.value ===
  (challenge.method === "plain" ? verifier : createHash("sha256").update(verifier).digest("base64url"));

export function redeemRefreshToken(
  { directory, grants }: GrantOptions,
  { client }: ProvenClient,
  form: URLSearchParams,
): UserGrant {
  const token = grants.refreshTokens.find(required(form, "refresh_token"));
  if (!token) throw wrongRefreshToken();
  if (token.clientId.toLowerCase() !== client.clientId.toLowerCase()) throw refreshTokenOfAnother();
  if (token.expiresAtMs <= Date.now()) throw refreshTokenOld();
  if (token.issuedAtMs <= grants.revokedAtMs(token.userId)) throw grantRevoked();
  return { user: userOf(directory, token.userId), scope: form.get("scope") ?? token.scope };
}

/** A poll of the device code flow: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code */
export function redeemDeviceCode(
  { directory, grants, ...more }: GrantOptions & { readonly deviceCodeIntervalSeconds?: number },
  { client }: ProvenClient,
  form: URLSearchParams,
): UserGrant {
  const secret = form.get("device_code") ?? required(form, "code");
  const device = grants.findDevice(secret);
  if (device?.clientId.toLowerCase() !== client.clientId.toLowerCase()) throw wrongDeviceCode();
  const now = Date.now();
  if (device.expiresAtMs <= now) throw deviceCodeExpired();
  if (device.state === "declined") throw authorizationDeclined();
  if (device.state === "pending" || !device.userId) {
    grants.replaceDevice(secret, { ...device, polledAtMs: now });
    // A client that waits almost as long as it was told is let be: its clock is not ours.
    const leastMs = (more.deviceCodeIntervalSeconds ?? 0) * 500;
    throw now - device.polledAtMs < leastMs ? slowDown() : authorizationPending();
  }
  // Good for one answer.
  grants.replaceDevice(secret, { ...device, expiresAtMs: 0 });
  return { user: userOf(directory, device.userId), scope: device.scope, claims: device.claims };
}

function userOf(directory: Directory, userId: string): Principal {
  const user = directory.find(userId);
  if (!user) throw noUserForPrincipal(userId, directory.tenantId);
  return user;
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (!value) throw new EntraRefusal(missingParameter(name));
  return value;
}
