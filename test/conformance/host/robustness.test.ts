import { connect } from "node:net";
import fc from "fast-check";
import { sharedApp } from "../../local/host/support";
import type { TestApp } from "../../local/host/support";
import { residentMiB } from "./process-memory";

const app = sharedApp("http-rules", { env: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: "100000" } });

/** What comes back for these bytes, until the host ends the connection or has answered. */
async function exchange(target: TestApp, bytes: Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = "";
  const socket = connect(target.port, "127.0.0.1", () => {
    socket.write(bytes);
    // A request that the bytes leave open is ended from this side.
    socket.end();
  });
  socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
  socket.on("error", () => resolve(answer));
  socket.on("close", () => resolve(answer));
  return promise;
}

function statusOf(answer: string): number | undefined {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
  return status === undefined ? undefined : Number(status);
}

const method = fc.oneof(
  fc.constantFrom(
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "get",
    "CONNECT",
    "\0GET",
    "X".repeat(300),
  ),
  fc.string({ maxLength: 8 }),
);
const path = fc.oneof(
  fc.constantFrom(
    "*",
    "//",
    "/api/../../etc/passwd",
    "/%",
    "/api/files/%00",
    "/api/%c0%ae",
    "http://[",
    "/admin/",
    "/runtime/webhooks/",
  ),
  fc.string({ unit: "binary", maxLength: 60 }).map((text) => `/api/${text}`),
  fc.constant(`/api/files/${"a/".repeat(3_000)}`),
  fc.webPath().map((text) => `/${text}?${"q=1&".repeat(20)}`),
);
const header = fc.oneof(
  fc.constantFrom(
    ...[
      "host: a b",
      "host: [",
      "host:",
      "content-length: -1",
      "content-length: 99999999999999999999",
      "content-length: 1\r\ncontent-length: 2",
    ],
    ...[
      "transfer-encoding: chunked, gzip",
      "expect: nothing",
      "upgrade: websocket\r\nconnection: upgrade",
      "cookie: =;;=,",
    ],
    ...[
      "x-forwarded-host: \x7f",
      "x-forwarded-proto: gopher",
      `x-long: ${"a".repeat(20_000)}`,
      "content-type: multipart/form-data",
    ],
  ),
  fc
    .tuple(fc.string({ maxLength: 10 }), fc.string({ unit: "binary", maxLength: 30 }))
    .map(([name, value]) => `${name}: ${value}`),
);
const body = fc.oneof(
  fc.constant(""),
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.constantFrom(
    "5\r\nhello\r\n0\r\n\r\n",
    "zz\r\n",
    "ffffffffffffffff\r\nx",
    "-1\r\n\r\n",
    "3;a=b\r\nabc\r\n0\r\nt: 1\r\n\r\n",
  ),
);
const host = fc.constantFrom("localhost", "localhost:1", "a b", "[", "", "x:y", "user@x", "\xff", "%41", "a/b?c");
const hostile = fc
  .record({ host, method, path, headers: fc.array(header, { maxLength: 5 }), body, chunked: fc.boolean() })
  .map((each) => {
    const framing = each.chunked ? "transfer-encoding: chunked" : `content-length: ${Buffer.byteLength(each.body)}`;
    const lines = [`${each.method} ${each.path} HTTP/1.1`, `host: ${each.host}`, framing, ...each.headers];
    return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${each.body}`, "latin1");
  });

it("answers whatever is sent to it with no fault of its own, and stays (RFC 9112; fast-check 4.10)", async () => {
  const before = residentMiB(app().pid);
  await fc.assert(
    fc.asyncProperty(hostile, async (bytes) => {
      const status = statusOf(await exchange(app(), bytes));

      // No answer at all is right for bytes that end before a request does.
      expect(status === undefined || status < 500).toBe(true);
    }),
    { numRuns: 300 },
  );
  const { text } = await app().request("GET", "/api/open");

  expect(text).toBe("open");
  expect(residentMiB(app().pid) - before).toBeLessThan(150);
});

it.each([
  ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00"],
  ["a host of two words", "GET /api/open HTTP/1.1\r\nhost: a b\r\n\r\n"],
  ["a target that is no path", "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n"],
  ["two lengths", "POST /api/bytes HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
  [
    "a length and chunks",
    "POST /api/bytes HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["a chunk of no number", "POST /api/bytes HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
])("answers 400 for %s (RFC 9112, as Kestrel does)", async (_what, request) => {
  const answer = await exchange(app(), Buffer.from(request, "latin1"));

  expect(statusOf(answer)).toBe(400);
});

it("answers 431 for headers without end (RFC 6585)", async () => {
  const answer = await exchange(app(), Buffer.from(`GET /api/open HTTP/1.1\r\nx: ${"a".repeat(100_000)}\r\n\r\n`));

  expect(statusOf(answer)).toBe(431);
});

it("takes a target in absolute form (RFC 9112, request target)", async () => {
  const request = "GET http://localhost/api/open HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
  const answer = await exchange(app(), Buffer.from(request));

  expect(statusOf(answer)).toBe(200);
});

it("answers 413 for chunks without end, and keeps none of them (docs: App settings reference, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT)", async () => {
  const chunk = `2710\r\n${"x".repeat(10_000)}\r\n`;
  const head = "POST /api/bytes HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
  const answer = await exchange(app(), Buffer.from(head + chunk.repeat(30)));

  expect(statusOf(answer)).toBe(413);
});

it("serves 1,024 requests at a time (docs: Azure Functions HTTP triggers, concurrency)", async () => {
  const startedAt = performance.now();
  const answers = await Promise.all(Array.from({ length: 1024 }, () => app().request("GET", "/api/wait")));
  const seconds = (performance.now() - startedAt) / 1000;
  process.stderr.write(`1,024 concurrent requests of 0.2 s each: ${seconds.toFixed(2)} s\n`);

  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(["200 waited"]));
});
