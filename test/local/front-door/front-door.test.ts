import { createServer, type IncomingMessage, request, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FaultPlan, type FaultRule } from "../../../local/faults/fault-plan";
import { startFrontDoor, type FrontDoor } from "../../../local/front-door/front-door";

let door: FrontDoor;
let host: Server | undefined;
let target: string | undefined;
let faults: FaultPlan;
beforeEach(async () => {
  faults = new FaultPlan();
  door = await startFrontDoor({ port: 0, target: () => target, faults, log: () => undefined });
});
afterEach(async () => {
  faults.disarmAll();
  await door.close();
  await stopHost();
  target = undefined;
});

async function startHost(listener: RequestListener): Promise<void> {
  const server = createServer(listener);
  host = server;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, "127.0.0.1", () => resolve(undefined));
  await promise;
  target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stopHost(): Promise<void> {
  if (!host) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  host.close(() => resolve(undefined));
  host.closeAllConnections();
  await promise;
  host = undefined;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

const echo: RequestListener = (request, response) =>
  void textOf(request).then((text) =>
    response.writeHead(201, { "x-seen": `${request.method ?? ""} ${request.url ?? ""}` }).end(text.toUpperCase()),
  );
const rule = (change: Partial<FaultRule>): FaultRule => ({
  service: "front-door",
  stage: "before",
  skip: 0,
  times: 1,
  action: { kind: "hold" },
  ...change,
});
const register = () =>
  fetch(`${door.url}/api/agent/v1/register`, {
    method: "POST",
    body: JSON.stringify({ org: "contoso", machineId: "m1" }),
  });

it("hands on method, path, query and body, and the answer's status and headers", async () => {
  await startHost(echo);

  const response = await fetch(`${door.url}/api/orgs?x=1`, { method: "PUT", body: "hello" });

  expect(response.status).toBe(201);
  expect(response.headers.get("x-seen")).toBe("PUT /api/orgs?x=1");
  expect(await response.text()).toBe("HELLO");
});

it.each(["DELETE", "GET", "OPTIONS"])(
  "hands on the chunked body of a %s as a body, and not as a second request",
  async (method) => {
    const seen: string[] = [];
    await startHost((request, response) => {
      void textOf(request).then((text) => {
        seen.push(`${request.method ?? ""} ${request.url ?? ""} ${text}`);
        response.end();
      });
    });
    const smuggled = "GET /admin/host/status HTTP/1.1\r\nHost: x\r\n\r\n";

    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const outgoing = request(door.url, { method, path: "/api/orgs", headers: { "transfer-encoding": "chunked" } });
    outgoing.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
    outgoing.end(smuggled);

    expect(await promise).toBe(200);
    await fetch(`${door.url}/api/next`);
    expect(seen).toEqual([`${method} /api/orgs ${smuggled}`, "GET /api/next "]);
  },
);

it("streams an answer while the host still writes it", async () => {
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<undefined>();
  await startHost((_request, response) => {
    response.write("first");
    void mayEnd.then(() => response.end("last"));
  });

  const response = await fetch(door.url);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader?.read();
  end(undefined);

  expect(first?.value).toBe("first");
  expect((await reader?.read())?.value).toBe("last");
});

it.each(["there is none", "it refuses connections"])(
  "answers 503 with Retry-After while the host is down: %s",
  async (how) => {
    if (how === "it refuses connections") {
      await startHost(echo);
      await stopHost();
    }

    const response = await register();

    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ error: { code: "ServiceUnavailable" } });
  },
);

it("answers 502 when the host dies after it got the request, and serves the host that comes next", async () => {
  await startHost((request) => request.socket.destroy());
  const broken = await register();
  await stopHost();
  await startHost(echo);

  const next = await register();

  expect(broken.status).toBe(502);
  expect(next.status).toBe(201);
});

it("uses one connection to the host for requests that follow each other", async () => {
  const sockets = new Set<Socket>();
  await startHost((request, response) => {
    sockets.add(request.socket);
    response.end("ok");
  });

  for (let count = 0; count < 3; count += 1) await (await fetch(door.url)).text();

  expect(sockets.size).toBe(1);
});

it.each([
  "/runtime/webhooks/durabletask",
  "/admin/host/status",
  "/ADMIN",
  "//admin/x",
  "/%61dmin/x",
  "/api/../admin/x",
])("does not open %s", async (path) => {
  let seen = 0;
  await startHost((_request, response) => {
    seen += 1;
    response.end();
  });
  const { promise, resolve } = Promise.withResolvers<number | undefined>();

  // fetch would tidy the path up itself.
  const { request } = await import("node:http");
  request({ port: door.port, path }, (response) => resolve(response.resume().statusCode)).end();

  expect(await promise).toBe(404);
  expect(seen).toBe(0);
});

it("holds a request that the host has not seen", async () => {
  let seen = 0;
  await startHost((request, response) => {
    seen += 1;
    echo(request, response);
  });
  const id = faults.arm(rule({ operation: "POST /api/agent/v1/register", subject: "contoso m1" }));

  const pending = register();
  await faults.waitForHits(id, 1);
  const seenWhileHeld = seen;
  faults.disarm(id);

  expect((await pending).status).toBe(201);
  expect(seenWhileHeld).toBe(0);
  expect(seen).toBe(1);
});

it("withholds an answer that the host has given", async () => {
  let seen = 0;
  await startHost((request, response) => {
    seen += 1;
    echo(request, response);
  });
  faults.arm(rule({ stage: "after", action: { kind: "drop" } }));

  await expect(register()).rejects.toThrow("fetch failed");

  expect(seen).toBe(1);
});

it("fails as the rule says, in the service's words", async () => {
  await startHost(echo);
  faults.arm(
    rule({
      action: {
        kind: "fail",
        status: 429,
        code: "TooManyRequests",
        message: "slow down",
        headers: { "retry-after": "7" },
      },
    }),
  );

  const response = await register();

  expect(response.status).toBe(429);
  expect(response.headers.get("retry-after")).toBe("7");
  expect(await response.json()).toEqual({ error: { code: "TooManyRequests", message: "slow down" } });
});

it("names its port when that is in use", async () => {
  await expect(
    startFrontDoor({ port: door.port, target: () => undefined, faults, log: () => undefined }),
  ).rejects.toThrow(`the front door's port ${door.port} is in use`);
});
