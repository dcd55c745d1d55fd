import { decodeJwt } from "jose";
import { signInNeeded } from "./cli-error";
import type { Connection } from "./connection";

/** Who a token for Corral's API stands for. Read for show; the API alone verifies it. */
export interface TokenIdentity {
  readonly name: string;
  readonly objectId: string;
  readonly kind: "user" | "application";
  readonly tenantId: string;
  readonly expiresAt: string;
  readonly groupIds: readonly string[];
}

export async function identityOf({ credential, audience }: Connection): Promise<TokenIdentity> {
  const token = await credential.getToken(`${audience}/.default`);
  if (!token) throw signInNeeded("no token was given: corral login");
  const claims = decodeJwt(token.token);
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === "string" ? value : undefined;
  };
  const groups = claims["groups"];
  const objectId = text("oid") ?? "";
  return {
    name:
      text("preferred_username") ?? text("upn") ?? text("app_displayname") ?? text("azp") ?? text("appid") ?? objectId,
    objectId,
    kind: text("scp") === undefined ? "application" : "user",
    tenantId: text("tid") ?? "",
    expiresAt: new Date(token.expiresOnTimestamp).toISOString(),
    groupIds: Array.isArray(groups) ? groups.filter((each) => typeof each === "string") : [],
  };
}
