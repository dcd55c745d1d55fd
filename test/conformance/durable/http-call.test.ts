import { TestApp, endAppsAfterEach, sharedApp } from "../../local/host/support";
import { ended, reached, run, start } from "./lab";
import { HttpPeer } from "./http-peer";

let peer: HttpPeer;
beforeAll(async () => {
  peer = await HttpPeer.start();
});
beforeEach(() => peer.reset());
afterAll(() => peer.close());
const app = sharedApp("durable-lab");

it("sends method, headers and body, and gives status, headers and content (durable-functions 3.5.0, callHttp)", async () => {
  peer.reply = () => ({ status: 201, headers: { "content-type": "text/plain" }, body: "made" });
  const request = { method: "PUT", url: `${peer.url}/things?n=1`, headers: { "X-Own": "yes" }, body: { a: [1] } };
  const { output } = await run(app(), "http", { request });
  const [sent] = peer.requests;

  expect(output).toEqual({ answers: [{ statusCode: 201, content: "made", type: "text/plain" }], after: "after" });
  expect(sent).toMatchObject({ method: "PUT", path: "/things?n=1", body: '{"a":[1]}' });
  expect(sent?.headers["x-own"]).toBe("yes");
});

it("gives error answers as answers (docs: HTTP features of Durable Functions)", async () => {
  peer.reply = () => ({ status: 503, body: "busy" });
  const { output } = await run(app(), "http", { request: { method: "GET", url: peer.url } });

  expect(output).toMatchObject({ answers: [{ statusCode: 503, content: "busy" }] });
});

it("lets an orchestration catch a request that has no answer (docs: HTTP features of Durable Functions)", async () => {
  const { output } = await run(app(), "httpCaught", "http://127.0.0.1:1/");

  expect((output as { caught: string }).caught).toContain("BuiltIn::HttpActivity");
});

it("polls the Location of a 202 with GET until another answer comes (docs: HTTP features of Durable Functions, asynchronous operation tracking)", async () => {
  peer.reply = ({ path }) => {
    if (path === "/start") return { status: 202, headers: { location: "/status/1" } };
    if (peer.requests.length < 4) return { status: 202, headers: { location: `/status/${peer.requests.length}` } };
    return { status: 200, body: "ready" };
  };
  const headers = { "x-own": "kept", "x-functions-key": "secret" };
  const { output } = await run(app(), "http", {
    request: { method: "POST", url: `${peer.url}/start`, headers, body: "b" },
  });
  const polls = peer.requests.slice(1);

  expect(output).toMatchObject({ answers: [{ statusCode: 200, content: "ready" }], after: "after" });
  expect(peer.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    ...["POST /start", "GET /status/1", "GET /status/2", "GET /status/3"],
  ]);
  expect(polls.every((poll) => poll.headers["x-own"] === "kept" && poll.body === "")).toBe(true);
  // Azure does not hand the functions key on: a status endpoint wants another one.
  expect(polls.every((poll) => poll.headers["x-functions-key"] === undefined)).toBe(true);
});

it("waits as long as Retry-After says, otherwise as host.json says (docs: host.json of Durable Functions, httpSettings.defaultAsyncRequestSleepTimeMilliseconds)", async () => {
  peer.reply = ({ path }) => {
    const poll = peer.requests.length;
    if (poll === 1) return { status: 202, headers: { location: "/a" } };
    if (path === "/a") return { status: 202, headers: { location: "/b", "retry-after": "1" } };
    return { status: 200 };
  };
  const id = await start(app(), "http", { input: { request: { method: "GET", url: peer.url } } });
  await ended(app(), id);
  const history = await reached(app(), id, "TimerFired", 2);
  const waits = history
    .filter(({ EventType }) => EventType === "TimerCreated")
    .map(({ FireAt = "", Timestamp }) => Date.parse(FireAt) - Date.parse(Timestamp));

  expect(waits).toEqual([40, 1_000]);
});

it("does not poll when told so (durable-functions 3.5.0, CallHttpOptions.enablePolling)", async () => {
  peer.reply = () => ({ status: 202, headers: { location: "/status" } });
  const { output } = await run(app(), "http", { request: { method: "GET", url: peer.url, enablePolling: false } });

  expect(output).toMatchObject({ answers: [{ statusCode: 202 }] });
  expect(peer.requests).toHaveLength(1);
});

it("keeps results apart when polls, retries and activities run side by side (durable-functions 3.5.0, CallHttpWithPollingTask)", async () => {
  peer.reply = ({ method }) =>
    method === "POST" || peer.requests.length < 4 ? { status: 202, headers: { location: "/s" } } : { status: 200 };
  const { output } = await run(app(), "httpBeside", peer.url);

  expect(output).toEqual({ status: 200, echoed: "beside", attempt: 2, after: "after" });
});

it("makes several calls one after another (durable-functions 3.5.0, callHttp)", async () => {
  peer.reply = () => ({ status: 200, body: String(peer.requests.length) });
  const { output } = await run(app(), "http", { request: { method: "GET", url: peer.url }, times: 3 });

  expect((output as { answers: { content: string }[] }).answers.map(({ content }) => content)).toEqual(["1", "2", "3"]);
});

it("fails clearly when a token is asked for and there is no managed identity (durable-functions 3.5.0, ManagedIdentityTokenSource)", async () => {
  const request = { method: "GET", url: peer.url, tokenResource: "https://management.core.windows.net/.default" };
  const { runtimeStatus, output } = await run(app(), "http", { request });

  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("no managed identity");
  expect(peer.requests).toEqual([]);
});

describe("with a managed identity", () => {
  endAppsAfterEach();

  it("sends a token of the app's identity (docs: How to use managed identities for App Service, REST endpoint reference)", async () => {
    peer.reply = ({ path }) => ({
      status: 200,
      body: path.startsWith("/token") ? '{"access_token":"the-token"}' : "ok",
    });
    const env = { IDENTITY_ENDPOINT: `${peer.url}/token`, IDENTITY_HEADER: "proof" };
    const own = await TestApp.start("durable-lab", { env });
    const request = { method: "GET", url: `${peer.url}/arm`, tokenResource: "https://management.azure.com/.default" };
    const { output } = await run(own, "http", { request });
    const [token, call] = peer.requests;

    expect(output).toMatchObject({ answers: [{ statusCode: 200, content: "ok" }] });
    expect(token?.path).toContain(
      `resource=${encodeURIComponent("https://management.azure.com")}&api-version=2019-08-01`,
    );
    expect(token?.headers["x-identity-header"]).toBe("proof");
    expect(call?.headers.authorization).toBe("Bearer the-token");
  });
});
