import { createHash, randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../store/json-table";

/** What a user agreed to on the sign-in page: redeemed once, within ten minutes. */
export interface AuthorizationCode {
  readonly clientId: string;
  readonly userId: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly nonce: string | undefined;
  readonly challenge: { readonly value: string; readonly method: "S256" | "plain" } | undefined;
  readonly claims: string | undefined;
  readonly expiresAtMs: number;
  readonly isRedeemed: boolean;
}

export interface DeviceCode {
  readonly clientId: string;
  readonly userCode: string;
  readonly scope: string;
  readonly claims: string | undefined;
  readonly state: "pending" | "approved" | "declined";
  readonly userId: string | undefined;
  readonly expiresAtMs: number;
  readonly polledAtMs: number;
}

export interface RefreshToken {
  readonly clientId: string;
  readonly userId: string;
  readonly scope: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

interface Expiring {
  readonly expiresAtMs: number;
}

/** More of a kind than any person at a keyboard makes. */
export const MAX_GRANTS = 2000;

/** Codes and refresh tokens by the hash of their secret, so that what lies on the disk signs nobody in. */
class SecretTable<Row extends Expiring> {
  private readonly table: JsonTable<Row>;

  constructor(database: DatabaseSync, name: string) {
    this.table = new JsonTable(database, name);
  }

  add(row: Row): string {
    this.prune();
    const secret = randomBytes(48).toString("base64url");
    this.table.set(hash(secret), row);
    return secret;
  }

  find(secret: string): Row | undefined {
    return this.table.get(hash(secret));
  }

  replace(secret: string, row: Row): void {
    this.table.set(hash(secret), row);
  }

  entries(): [string, Row][] {
    return this.table.entries();
  }

  replaceByKey(key: string, row: Row): void {
    this.table.set(key, row);
  }

  /** Rows that ended a day ago go, and the oldest of more than fit: an expired secret is told so for a while. */
  private prune(): void {
    const entries = this.table.entries();
    const endedBefore = Date.now() - 24 * 60 * 60 * 1000;
    const surplus = Math.max(0, entries.length + 1 - MAX_GRANTS);
    entries.forEach(([key, row], index) => {
      if (index < surplus || row.expiresAtMs < endedBefore) this.table.delete(key);
    });
  }
}

/** Everything that users granted to clients. */
export class GrantStore {
  readonly codes: SecretTable<AuthorizationCode>;
  readonly refreshTokens: SecretTable<RefreshToken>;
  private readonly devices: SecretTable<DeviceCode>;
  private readonly revocations: JsonTable<number>;

  constructor(database: DatabaseSync) {
    this.codes = new SecretTable(database, "authorizationCodes");
    this.refreshTokens = new SecretTable(database, "refreshTokens");
    this.devices = new SecretTable(database, "deviceCodes");
    this.revocations = new JsonTable(database, "sessionRevocations");
  }

  addDevice(device: Omit<DeviceCode, "userCode">): { deviceCode: string; userCode: string } {
    const userCode = newUserCode();
    return { deviceCode: this.devices.add({ ...device, userCode }), userCode };
  }

  findDevice(deviceCode: string): DeviceCode | undefined {
    return this.devices.find(deviceCode);
  }

  replaceDevice(deviceCode: string, device: DeviceCode): void {
    this.devices.replace(deviceCode, device);
  }

  /** The user's answer on the page where the code is typed in; false for a code that waits for none. */
  decideDevice(userCode: string, decision: Pick<DeviceCode, "state" | "userId">): boolean {
    const wanted = userCode.trim().toUpperCase();
    const found = this.devices
      .entries()
      .find(([, one]) => one.userCode === wanted && one.state === "pending" && one.expiresAtMs > Date.now());
    if (!found) return false;
    this.devices.replaceByKey(found[0], { ...found[1], ...decision });
    return true;
  }

  /** Ends a user's sessions: refresh tokens from before are refused, and so are tokens of clients that can take the challenge. */
  revokeSessions(userId: string): void {
    this.revocations.set(userId.toLowerCase(), Date.now());
  }

  revokedAtMs(userId: string): number {
    return this.revocations.get(userId.toLowerCase()) ?? 0;
  }
}

const hash = (secret: string): string => createHash("sha256").update(secret).digest("hex");

// Letters and digits that cannot be taken for one another.
const USER_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const newUserCode = (): string =>
  [...randomBytes(9)].map((byte) => USER_CODE_LETTERS.charAt(byte % USER_CODE_LETTERS.length)).join("");
