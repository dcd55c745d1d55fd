import fc from "fast-check";
import { TestApp, endAppsAfterEach, sharedApp } from "../../local/host/support";
import { API, client, ended, post, run, start, stateWhen, statusOf, waiting } from "./lab";

const app = sharedApp("durable-lab");

function pathOf(url: string | undefined): string {
  const { pathname, search } = new URL(url ?? "http://none");
  return pathname + search;
}

it("hands out links that all work (durable-functions 3.5.0, createCheckStatusResponse)", async () => {
  const id = await start(app(), "waitFor");
  await waiting(app(), id);
  const answer = await app().request("POST", `/api/check/${id}`);
  const links = JSON.parse(answer.text) as Record<string, string>;
  const call = async (name: string, method: string, body?: string): Promise<number> => {
    const path = pathOf(links[name]?.replace("{text}", "why").replace("{eventName}", "Other"));
    const headers = { "content-type": "application/json" };
    return (await app().request(method, path, { headers, ...(body !== undefined && { body }) })).status;
  };
  const statuses = [
    await call("statusQueryGetUri", "GET"),
    await call("sendEventPostUri", "POST", "1"),
    await call("suspendPostUri", "POST"),
    await call("resumePostUri", "POST"),
    await call("rewindPostUri", "POST"),
    await call("terminatePostUri", "POST"),
  ];
  await ended(app(), id);
  const after = [await call("restartPostUri", "POST"), await call("purgeHistoryDeleteUri", "DELETE")];

  expect([answer.status, answer.headers.get("retry-after")]).toEqual([202, "10"]);
  expect(answer.headers.get("location")).toBe(links["statusQueryGetUri"]);
  expect(statuses).toEqual([202, 202, 202, 202, 412, 202]);
  expect(after).toEqual([202, 200]);
});

it("answers a start with the links, and with the output where it waits (docs: HTTP API reference of Durable Functions, Start orchestration)", async () => {
  const started = await post(app(), "orchestrators/echoes/by-http", "[1]");
  const waited = await post(app(), "orchestrators/echoes?timeout=10&pollingInterval=1", '"now"');
  const late = await post(app(), "orchestrators/waitFor?timeout=0.05&pollingInterval=0.01");
  const failed = await post(app(), "orchestrators/failing?timeout=10&pollingInterval=1", '{"key":"http","times":1}');

  expect(JSON.parse(started.text)).toMatchObject({
    id: "by-http",
    statusQueryGetUri: expect.stringContaining("by-http") as string,
  });
  expect([started.status, waited.status, waited.text, late.status, failed.status]).toEqual([
    202,
    200,
    '"now"',
    202,
    500,
  ]);
});

it.each([
  { what: "an unknown function", path: "orchestrators/nowhere", body: "1", text: "doesn't exist" },
  { what: "an input that is no JSON", path: "orchestrators/echoes", body: "{", text: "Invalid JSON content" },
  { what: "an entity's id", path: "orchestrators/echoes/@counter@x", body: "1", text: "must not start with @" },
  { what: "an id with a slash", path: "orchestrators/echoes/a%2Fb", body: "1", text: "must not contain" },
  { what: "a long id", path: `orchestrators/echoes/${"x".repeat(101)}`, body: "1", text: "must not exceed 100" },
])(
  "refuses a start with $what by 400 (docs: HTTP API reference of Durable Functions, Start orchestration)",
  async ({ path, body, text }) => {
    const answer = await post(app(), path, body);

    expect(answer.status).toBe(400);
    expect((JSON.parse(answer.text) as { Message: string }).Message).toContain(text);
  },
);

it("refuses a second start of an id that runs by 409, and takes one that has ended (docs: host.json, overridableExistingInstanceStates)", async () => {
  await start(app(), "waitFor", { instanceId: "twice" });
  const running = await post(app(), "orchestrators/echoes/twice", "1");
  await client(app(), "terminate", "twice", "");
  await ended(app(), "twice");
  const anew = await post(app(), "orchestrators/echoes/twice", "2");
  const { output } = await ended(app(), "twice");

  expect([running.status, anew.status, output]).toEqual([409, 202, 2]);
});

it("tells by its status code whether an instance runs (docs: HTTP API reference of Durable Functions, Get instance status)", async () => {
  const id = await start(app(), "waitFor");
  const running = await app().request("GET", `${API}/instances/${id}`);
  const { instanceId } = await run(app(), "failing", { key: "coded", times: 1 });
  const failed = await app().request("GET", `${API}/instances/${instanceId}`);
  const asError = await app().request("GET", `${API}/instances/${instanceId}?returnInternalServerErrorOnFailure=true`);
  const unknown = await app().request("GET", `${API}/instances/never-was`);

  expect([running.status, failed.status, asError.status, unknown.status]).toEqual([202, 200, 500, 404]);
  expect(running.headers.get("retry-after")).toBe("5");
  expect(running.headers.get("location")).toContain(id);
});

it("takes events as JSON only, and says first when nobody is there (Azure/azure-functions-durable-extension, HttpApiHandler.HandleRaiseEventRequestAsync)", async () => {
  const id = await start(app(), "waitFor");
  const event = (target: string, body: string, type: string): Promise<{ status: number; text: string }> =>
    app().request("POST", `${API}/instances/${target}/raiseEvent/Go`, { body, headers: { "content-type": type } });
  const plain = await event(id, "1", "text/plain");
  const broken = await event(id, "{", "application/json");
  const unknown = await event("never-was", "1", "text/plain");
  const good = await event(id, "1", "application/json; charset=utf-8");

  expect([plain.status, broken.status, unknown.status, good.status]).toEqual([400, 400, 404, 202]);
  expect(JSON.parse(plain.text)).toEqual({ Message: "Only application/json request content is supported" });
});

it("restarts under a new id, or under the same one (docs: HTTP API reference of Durable Functions, Restart instance)", async () => {
  await start(app(), "echoes", { instanceId: "to-restart", input: "again" });
  await ended(app(), "to-restart");
  const anew = await post(app(), "instances/to-restart/restart");
  const { id } = JSON.parse(anew.text) as { id: string };
  const same = await post(app(), "instances/to-restart/restart?restartWithNewInstanceId=false");
  const outputs = [(await ended(app(), id)).output, (await ended(app(), "to-restart")).output];
  const unknown = await post(app(), "instances/never-was/restart");
  const running = await start(app(), "waitFor");
  const conflict = await post(app(), `instances/${running}/restart?restartWithNewInstanceId=false`);

  expect(id).not.toBe("to-restart");
  expect([anew.status, same.status, unknown.status, conflict.status]).toEqual([202, 202, 400, 409]);
  expect(outputs).toEqual(["again", "again"]);
});

it("refuses to purge what runs by 412, and a purge without a time by 400 (Azure/azure-functions-durable-extension, HttpApiHandler)", async () => {
  const id = await start(app(), "waitFor");
  const running = await app().request("DELETE", `${API}/instances/${id}`);
  const unknown = await app().request("DELETE", `${API}/instances/never-was`);
  const timeless = await app().request("DELETE", `${API}/instances?runtimeStatus=Completed`);
  const none = await app().request("DELETE", `${API}/instances?createdTimeFrom=2001-01-01&createdTimeTo=2001-01-02`);

  expect([running.status, unknown.status, timeless.status, none.status]).toEqual([412, 404, 400, 404]);
});

it("lists by a prefix of the id and without inputs, page by page (docs: HTTP API reference of Durable Functions, Get all instances status)", async () => {
  for (const n of [1, 2, 3]) await start(app(), "echoes", { instanceId: `prefixed-${n}`, input: n });
  const query = "instanceIdPrefix=prefixed-&top=2&showInput=false";
  const first = await app().request("GET", `${API}/instances?${query}`);
  const token = first.headers.get("x-ms-continuation-token") ?? "";
  const rest = await app().request("GET", `${API}/instances?${query}`, {
    headers: { "x-ms-continuation-token": token },
  });
  const rows = [...(JSON.parse(first.text) as unknown[]), ...(JSON.parse(rest.text) as unknown[])];

  expect(rows).toMatchObject([1, 2, 3].map((n) => ({ instanceId: `prefixed-${n}`, input: null })));
  expect(rest.headers.get("x-ms-continuation-token")).toBeNull();
});

it.each([
  { method: "PUT", path: "instances/x" },
  { method: "GET", path: "instances/x/terminate" },
  { method: "POST", path: "instances/x/nothing" },
  { method: "GET", path: "orchestrators/echoes" },
  { method: "POST", path: "instances" },
  { method: "PATCH", path: "entities/counter/x" },
  { method: "GET", path: "elsewhere" },
])(
  "answers $method $path with 404 (Azure/azure-functions-durable-extension, HttpApiHandler.HandleRequestAsync)",
  async ({ method, path }) => {
    const { status } = await app().request(method, `${API}/${path}`);

    expect(status).toBe(404);
  },
);

it("survives requests that nobody meant, and answers them in Azure's shape (docs: HTTP API reference of Durable Functions, fuzzed)", async () => {
  const word = fc.oneof(
    fc.constantFrom(
      "instances",
      "orchestrators",
      "entities",
      "echoes",
      "waitFor",
      "counter",
      "raiseEvent",
      "rewind",
      "restart",
      "",
    ),
    fc.constantFrom("terminate", "suspend", "resume", "@counter@x", "%00", "%ff", "..", "$"),
    fc.string({ maxLength: 20, unit: "grapheme" }).map(encodeURIComponent),
  );
  const name = fc.constantFrom(
    "top",
    "createdTimeFrom",
    "createdTimeTo",
    "runtimeStatus",
    "timeout",
    "op",
    "showHistory",
    "code",
  );
  const value = fc.oneof(
    fc.constantFrom("-1", "1e9", "NaN", "true", "2020-01-01", "Failed,,x"),
    fc.string({ maxLength: 10 }),
  );
  const hostile = fc.record({
    method: fc.constantFrom("GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"),
    path: fc.array(word, { maxLength: 5 }),
    query: fc.array(fc.tuple(name, value), { maxLength: 3 }),
    body: fc.oneof(fc.string({ maxLength: 30 }), fc.json()),
    token: fc.constantFrom("", "-5", "9e99", "garbage"),
    type: fc.constantFrom("application/json", "text/plain", ";", "application/json;charset=x"),
  });
  const ask = fc.asyncProperty(hostile, async ({ method, path, query, body, token, type }) => {
    const search = new URLSearchParams(
      query.map(([key, text]): [string, string] => [key, key === "timeout" ? "0.01" : text]),
    );
    const headers = { "content-type": type, "x-ms-continuation-token": token };
    const sent = method === "GET" || method === "OPTIONS" ? {} : { body };
    const answer = await app().request(method, `${API}/${path.join("/")}?${search.toString()}`, { headers, ...sent });
    if (answer.status >= 500) expect(JSON.parse(answer.text)).toHaveProperty("runtimeStatus", "Failed");
    expect(answer.status).not.toBe(501);
  });
  await fc.assert(ask, { numRuns: 200, endOnFailure: true });
  const { output } = await run(app(), "echoes", "still here");

  expect(output).toBe("still here");
});

it("shows an instance with the documented fields and no others (docs: HTTP API reference of Durable Functions, Get instance status)", async () => {
  const id = await start(app(), "waitFor");
  await waiting(app(), id);
  const shown = await statusOf(app(), id, "?showInput=false");

  expect(Object.keys(shown).sort()).toEqual([
    ...["createdTime", "customStatus", "input", "instanceId", "lastUpdatedTime", "name", "output", "runtimeStatus"],
  ]);
  expect(shown.input).toBeNull();
});

describe("with a key", () => {
  endAppsAfterEach();

  it("asks for the key at the webhook, and hands it out in links (docs: HTTP API reference of Durable Functions, systemKey)", async () => {
    const own = await TestApp.start("durable-lab", { env: { FUNCTIONS_HOST_KEY: "the key&" } });
    const { value: id } = await client(own, "startNew", "waitFor", { input: "Go" });
    const without = await own.request("GET", `${API}/instances/${String(id)}`);
    const wrong = await own.request("GET", `${API}/instances/${String(id)}?code=other`);
    const links = JSON.parse((await own.request("POST", `/api/check/${String(id)}`)).text) as Record<string, string>;
    const linked = await own.request("GET", pathOf(links["statusQueryGetUri"]));
    const entity = await own.request("GET", `${API}/entities/counter/x`);

    expect([without.status, wrong.status, entity.status]).toEqual([401, 401, 401]);
    expect(linked.status).toBe(202);
  });

  it("serves the client also by the webhook's links, as hosts without the inner address do (durable-functions 3.5.0, DurableClient without rpcBaseUrl)", async () => {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const env = { FUNCTIONS_HOST_KEY: "k", WEBSITE_HOSTNAME: `127.0.0.1:${port}` };
    const own = await TestApp.start("durable-lab", { port, env });
    const viaLinks = async (method: string, ...args: unknown[]): Promise<unknown> =>
      JSON.parse(
        (await own.request("POST", `/api/webhook-client/${method}`, { body: JSON.stringify(args) })).text,
      ) as unknown;
    const started = await viaLinks("startNew", "waitFor", { instanceId: "linked", input: "Go" });
    const raised = await viaLinks("raiseEvent", "linked", "Go", 1);
    const signalled = await viaLinks("signalEntity", { name: "Counter", key: "linked" }, "add", 3);
    const state = await stateWhen(own, "linked", (found) => found === 3);
    const status = await viaLinks("getStatus", "linked");

    expect([started, raised, signalled, state]).toEqual([{ value: "linked" }, { value: null }, { value: null }, 3]);
    expect(status).toMatchObject({ value: { instanceId: "linked" } });
  });
});
