import { sharedApp, until } from "./support";

const app = sharedApp("triggers", { env: { TICK: "*/1 * * * * *", GREETING: "hello", FUNCTIONS_HOST_KEY: "the+key" } });

it.each([
  ["GET", "/", { name: "root", params: {} }],
  ["PUT", "/api/orgs/acme/jobs/j%201", { name: "job", params: { org: "acme", jobId: "j 1" } }],
  ["POST", "/api/orgs/acme/jobs/j1:cancel", { name: "cancel", params: { org: "acme", jobId: "j1" } }],
  ["GET", "/api/orgs/acme/jobs/special", { name: "special", params: { org: "acme" } }],
  ["GET", "/api/numbers/12", { name: "number", params: { n: "12" } }],
  ["GET", "/api/numbers/twelve", { name: "word", params: { word: "twelve" } }],
  ["GET", "/files/a/b.txt", { name: "rest", params: { rest: "a/b.txt" } }],
])("hands %s %s to its function with the route's parameters", async (method, path, expected) => {
  const { status, text } = await app().request(method, path);

  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual(expected);
});

it.each([
  ["GET", "/nowhere"],
  ["DELETE", "/api/orgs/acme/jobs/j1"],
  ["GET", "/runtime/webhooks/nothing?code=the%2Bkey"],
])("answers %s %s with an empty 404", async (method, path) => {
  const { status, text } = await app().request(method, path);

  expect({ status, text }).toEqual({ status: 404, text: "" });
});

it("carries bytes, status, headers and cookies both ways", async () => {
  const body = new Uint8Array([0, 255, 128, 10]);
  const answer = await fetch(`http://127.0.0.1:${app().port}/echo`, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-bytes" },
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());

  expect(answer.status).toBe(201);
  expect(bytes).toEqual(body);
  expect(answer.headers.get("x-type")).toBe("application/x-bytes");
  expect(answer.headers.getSetCookie()).toEqual(["a=b%20c; max-age=60; path=/; samesite=strict; httponly"]);
});

it("asks for the key where a function or a webhook wants one", async () => {
  const without = await app().request("GET", "/guarded");
  const wrong = await app().request("GET", "/guarded?code=other");
  const inQuery = await app().request("GET", "/guarded?code=the%2Bkey");
  const inHeader = await app().request("GET", "/guarded", { headers: { "x-functions-key": "the+key" } });
  const webhook = await app().request("GET", "/runtime/webhooks/durabletask/instances");

  expect([without, wrong, inQuery, inHeader, webhook].map(({ status }) => status)).toEqual([401, 401, 200, 200, 401]);
});

it("believes no caller who says who he is", async () => {
  const principal = Buffer.from(JSON.stringify({ userId: "mallory" })).toString("base64");
  const { text } = await app().request("GET", "/whoami", {
    headers: { "x-ms-client-principal": principal, "x-ms-client-principal-id": "mallory" },
  });

  expect(JSON.parse(text)).toEqual({ user: null });
});

it("answers 204 for nothing and 500 without details for a function that throws, and goes on", async () => {
  const nothing = await app().request("GET", "/nothing");
  const thrown = await app().request("GET", "/throws");
  const after = await app().request("GET", "/greeting");

  expect([nothing.status, thrown.status, thrown.text]).toEqual([204, 500, ""]);
  await app().said(/broken function/);
  expect(after.text).toBe("hello");
});

it("runs the hooks around a function, which may change its input and its result", async () => {
  const { text } = await app().request("GET", "/hooked");

  expect(text).toBe("an input of the hook, began true");
  expect(app().log).toContain("hook appStart");
});

it("logs what a function says with its name and invocation id", async () => {
  await app().request("GET", "/slow");

  expect(await app().said(/\[slow [0-9a-f-]{36}\] information: slow began/)).toBeTruthy();
});

it("lets a log hook raise what host.json would hide", async () => {
  await app().request("GET", "/chatty");

  expect(await app().said(/\[chatty [0-9a-f-]{36}\] warning: said at debug/)).toBeTruthy();
  expect(app().log).not.toContain("never shown");
});

it("fires timers on their schedule, and at once where they ask for it", async () => {
  const ticks = (await until(
    () => app().json("/seen/tick"),
    (seen) => Array.isArray(seen) && seen.length > 0,
  )) as { timer: { isPastDue: boolean } }[];
  const atStart = await app().json("/seen/atStart");

  expect(ticks[0]?.timer).toMatchObject({ isPastDue: false, schedule: { adjustForDST: true } });
  expect(atStart).toHaveLength(1);
});

it("says at the start which functions it has and which never fire here", () => {
  expect(app().log).toContain("Host lock lease acquired");
  expect(app().log).toMatch(/Functions:/);
  expect(app().log).toContain("Function 'onBlob' never fires here: this host has no trigger of type blobTrigger");
});
