import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TestApp, endAppsAfterEach, temporaryFolder } from "../../local/host/support";

endAppsAfterEach();

const OFF = { "AzureWebJobs.off.Disabled": "true" };
const SECURE = { args: ["--enable-auth"], env: OFF } as const;

interface Secrets {
  readonly masterKey: { readonly value: string };
  readonly functionKeys: readonly [{ readonly value: string }];
  readonly systemKeys: readonly { readonly name: string; readonly value: string }[];
}

function secretsOf(app: TestApp): Secrets {
  return JSON.parse(readFileSync(join(app.data, "secrets", "host.json"), "utf8")) as Secrets;
}

async function statusesOf(app: TestApp, path: string, keys: readonly (string | undefined)[]): Promise<number[]> {
  const statuses = [];
  for (const key of keys) {
    const headers: Record<string, string> = key === undefined ? {} : { "x-functions-key": key };
    statuses.push((await app.request("GET", path, { headers })).status);
  }
  return statuses;
}

it("asks nobody for keys unless it is told to, as the tools do (docs: Work with access keys, local development)", async () => {
  const app = await TestApp.start("http-rules");
  const statuses = [];
  for (const path of ["/api/open", "/api/locked", "/api/safe", "/admin/host/status"])
    statuses.push((await app.request("GET", path)).status);

  expect(statuses).toEqual([200, 200, 200, 200]);
});

it("lets a function key open functions, and the master key alone what is of level admin (docs: Work with access keys, authorization level)", async () => {
  const app = await TestApp.start("http-rules", SECURE);
  // The first guarded call makes the keys.
  await app.request("GET", "/api/locked");
  const { masterKey, functionKeys } = secretsOf(app);
  const keys = [undefined, "wrong", functionKeys[0].value, masterKey.value];
  const open = await statusesOf(app, "/api/open", keys);
  const locked = await statusesOf(app, "/api/locked", keys);
  const safe = await statusesOf(app, "/api/safe", keys);
  const inQuery = await app.request("GET", `/api/locked?code=${encodeURIComponent(functionKeys[0].value)}`);

  expect(open).toEqual([200, 200, 200, 200]);
  expect(locked).toEqual([401, 401, 200, 200]);
  expect(safe).toEqual([401, 401, 401, 200]);
  expect(inQuery.status).toBe(200);
});

it("takes a function's own key for that function only (docs: Work with access keys, function access keys)", async () => {
  const app = await TestApp.start("http-rules", SECURE);
  await app.request("GET", "/api/locked");
  const headers = { "x-functions-key": secretsOf(app).masterKey.value };
  const { text } = await app.request("GET", "/admin/functions/locked/keys", { headers });
  const [own] = (JSON.parse(text) as { keys: [{ name: string; value: string }] }).keys;
  const here = await statusesOf(app, "/api/locked", [own.value]);
  const there = await statusesOf(app, "/api/safe", [own.value]);

  expect(own.name).toBe("default");
  expect([...here, ...there]).toEqual([200, 401]);
});

it("answers 404 for a disabled function, but runs it for the master key (docs: How to disable functions)", async () => {
  const app = await TestApp.start("http-rules", SECURE);
  await app.request("GET", "/api/locked");
  const { masterKey, functionKeys } = secretsOf(app);
  const statuses = await statusesOf(app, "/api/off", [undefined, functionKeys[0].value, masterKey.value]);

  expect(statuses).toEqual([404, 404, 200]);
  await app.said(/Function 'Functions\.off' is disabled\./);
});

it("opens webhooks by the extension's system key, not by a function key (docs: Work with access keys, system keys)", async () => {
  const app = await TestApp.start("http-rules", SECURE);
  await app.request("GET", "/api/locked");
  const { functionKeys, systemKeys } = secretsOf(app);
  const durable = systemKeys.find(({ name }) => name === "durabletask_extension");
  const statuses = await statusesOf(app, "/runtime/webhooks/durabletask/instances", [
    functionKeys[0].value,
    durable?.value,
  ]);

  expect(statuses).toEqual([401, 200]);
});

it("has the same keys after a restart (docs: Work with access keys)", async () => {
  const data = temporaryFolder();
  const first = await TestApp.start("http-rules", { ...SECURE, data });
  await first.request("GET", "/api/locked");
  const before = secretsOf(first);
  await first.kill("SIGKILL");
  const second = await TestApp.start("http-rules", { ...SECURE, data });
  const statuses = await statusesOf(second, "/api/locked", [before.functionKeys[0].value, "wrong"]);

  expect(statuses).toEqual([200, 401]);
  expect(secretsOf(second)).toEqual(before);
});

it("tells the master key's holder its state and its functions (docs: Azure Functions host, admin API)", async () => {
  const app = await TestApp.start("http-rules", SECURE);
  const closed = await app.request("GET", "/admin/host/status");
  const headers = { "x-functions-key": secretsOf(app).masterKey.value };
  const status = await app.request("GET", "/admin/host/status", { headers });
  const functions = await app.request("GET", "/admin/functions", { headers });

  expect(closed.status).toBe(401);
  expect(JSON.parse(status.text)).toMatchObject({ state: "Running" });
  expect(JSON.parse(functions.text)).toContainEqual(expect.objectContaining({ name: "off", isDisabled: true }));
});
