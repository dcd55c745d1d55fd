import { DatabaseSync } from "node:sqlite";
import { GrantStore, MAX_GRANTS } from "../../../local/azure/identity/grant-store";

const code = {
  clientId: "c",
  userId: "u",
  redirectUri: "http://localhost",
  scope: "openid",
  nonce: undefined,
  challenge: undefined,
  claims: undefined,
  isRedeemed: false,
};

it("keeps no more codes than fit, and forgets the oldest first (bounded memory)", () => {
  const database = new DatabaseSync(":memory:");
  const { codes } = new GrantStore(database);

  const secrets = Array.from({ length: MAX_GRANTS + 5 }, () => codes.add({ ...code, expiresAtMs: Date.now() + 1000 }));
  const { size } = database.prepare("SELECT count(*) AS size FROM authorizationCodes").get() ?? {};

  expect(size).toBe(MAX_GRANTS);
  expect([secrets[4], secrets[5]].map((secret) => codes.find(secret ?? "") !== undefined)).toEqual([false, true]);
});

it("stores no secret that signs anybody in (threats: a stolen disk)", () => {
  const database = new DatabaseSync(":memory:");
  const secret = new GrantStore(database).codes.add({ ...code, expiresAtMs: Date.now() + 1000 });

  const stored = JSON.stringify(database.prepare("SELECT * FROM authorizationCodes").all());

  expect(stored).not.toContain(secret);
});
