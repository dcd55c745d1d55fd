import { statSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { createGroup, createVault, secretsOf, type VaultUnderTest } from "./vault-fixture";
import { askVault } from "./vault-wire";

let fixture: AzureFixture;
let vault: VaultUnderTest;

beforeAll(async () => {
  fixture = await startFixture({ throttling: true, speed: 1, sendsRetryAfter: true });
  await createGroup(fixture);
  vault = await createVault(fixture);
});
afterAll(() => stopFixture(fixture));

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const word = fc.oneof(
  fc.constantFrom(
    "secrets",
    "keys",
    "deletedsecrets",
    "deletedkeys",
    "restore",
    "backup",
    "versions",
    "create",
    "wrapkey",
  ),
  fc.constantFrom(
    "s",
    "%",
    "%zz",
    "..",
    "__proto__",
    "constructor",
    "",
    "é",
    "a".repeat(200),
    "'; DROP TABLE objects; --",
  ),
  fc.string({ maxLength: 12 }),
);
const hostileCall = fc.record({
  method: fc.constantFrom("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"),
  path: fc.array(word, { maxLength: 5 }).map((words) => `/${words.map(encodeURI).join("/")}`),
  query: fc.constantFrom(
    "?api-version=7.4",
    "?api-version=7.4&maxresults=-1",
    "?api-version=7.4&$skiptoken=%00",
    "?api-version=x",
  ),
  text: fc.oneof(
    fc.json(),
    fc.constantFrom(
      "",
      "{",
      "null",
      "[]",
      '{"value":7}',
      '{"kty":"RSA","key_size":1}',
      '{"key":{"kty":"RSA","n":{}}}',
      '{"alg":"RSA-OAEP","value":"*"}',
      '{"value":"AAAA"}',
    ),
  ),
});

it("answers whatever is sent in Key Vault's shape and stays up (fast-check 4; docs: REST error codes)", async () => {
  await secretsOf(fixture, vault).setSecret("s", "v");

  await fc.assert(
    fc.asyncProperty(hostileCall, async (call) => {
      const { status, body } = await askVault(fixture, { url: vault.url, ...call });

      expect(status).toBeLessThan(500);
      if (status >= 400 && call.method !== "HEAD")
        expect(body).toMatchObject({
          error: { code: expect.any(String) as string, message: expect.any(String) as string },
        });
    }),
    { numRuns: 250, seed: 7 },
  );
  const read = await secretsOf(fixture, vault).getSecret("s");

  expect(read.value).toBe("v");
}, 120_000);

it("throttles a vault that is asked for too much, and no other one (docs: Key Vault service limits, Throttling guidance)", async () => {
  const [busy, idle] = [await createVault(fixture), await createVault(fixture)];
  const rotate = () => askVault(fixture, { url: busy.url, path: "/keys/none/rotate", method: "POST" });

  // Making keys: 20 in ten seconds. That there is no such key is found out later.
  const replies = await Promise.all(Array.from({ length: 21 }, rotate));
  const refused = replies.filter(({ status }) => status === 429);
  const others = [
    await secretsOf(fixture, busy).setSecret("s", "v"),
    await secretsOf(fixture, idle).setSecret("s", "v"),
  ];

  expect(refused).toHaveLength(1);
  expect(refused[0]?.body).toMatchObject({ error: { code: "Throttled" } });
  expect(Number(refused[0]?.headers["retry-after"])).toBeGreaterThan(0);
  expect(others.map(({ value }) => value)).toEqual(["v", "v"]);
});

it("keeps values in a file that only its owner reads (docs/architecture.md: State)", () => {
  const modes = ["vaults.sqlite", "vaults.sqlite-wal"].map((file) => statSync(join(fixture.folder, file)).mode & 0o777);

  expect(modes).toEqual([0o600, 0o600]);
});

it("holds no values in memory: 7 MB of secrets cost less than 3 (measured with a collected heap)", async () => {
  const roomy = await createVault(fixture);
  const text = JSON.stringify({ value: "x".repeat(25_000) });
  const set = async (index: number): Promise<number> =>
    (await askVault(fixture, { url: roomy.url, path: `/secrets/s${index % 50}`, method: "PUT", text })).status;
  await set(0);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;

  // No more than 300 values in ten seconds may be set in one vault.
  const statuses = new Set<number>();
  for (let index = 0; index < 290; index += 1) statuses.add(await set(index));
  collectGarbage();
  const grownMiB = (process.memoryUsage().heapUsed - before) / 2 ** 20;

  expect([...statuses]).toEqual([200]);
  expect(grownMiB).toBeLessThan(3);
}, 120_000);
