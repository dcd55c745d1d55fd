import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { sharedApp } from "../../local/host/support";

const LIMIT_BYTES = 8 * 1024 * 1024;
const app = sharedApp("streams", { env: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(LIMIT_BYTES) } });

/** Sends a body piece by piece, without a length, and gives what came back. */
async function sendPieces(path: string, pieces: readonly Buffer[]): Promise<{ status: number; body: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Buffer }>();
  const call = request({ host: "127.0.0.1", port: app().port, path, method: "POST" }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
  });
  call.on("error", reject);
  for (const piece of pieces) call.write(piece);
  call.end();
  return promise;
}

it("reads a body as a stream (@azure/functions 4.16, enableHttpStream)", async () => {
  const body = randomBytes(3 * 1024 * 1024);
  const { text } = await app().request("POST", "/upload", { body });

  expect(JSON.parse(text)).toEqual({ bytes: body.length, sha256: createHash("sha256").update(body).digest("hex") });
});

it("reads a body that comes in chunks of unknown number (@azure/functions 4.16, enableHttpStream)", async () => {
  const pieces = Array.from({ length: 50 }, () => randomBytes(10_000));
  const { body } = await sendPieces("/upload", pieces);

  expect(JSON.parse(body.toString())).toMatchObject({ bytes: 500_000 });
});

it("answers with a stream and its headers (@azure/functions 4.16, enableHttpStream)", async () => {
  const response = await fetch(`http://127.0.0.1:${app().port}/download/4`);
  const bytes = (await response.arrayBuffer()).byteLength;

  expect(bytes).toBe(4 * 1024 * 1024);
  expect([response.headers.get("content-length"), response.headers.get("x-kind")]).toEqual([
    String(bytes),
    "generated",
  ]);
  expect(response.headers.get("x-ms-invocation-id")).toBeNull();
});

it("sends back what it reads while it reads it (@azure/functions 4.16, enableHttpStream)", async () => {
  const body = randomBytes(2 * 1024 * 1024);
  const answer = await sendPieces("/echo", [body.subarray(0, 1000), body.subarray(1000)]);

  expect(answer.status).toBe(201);
  expect(answer.body.equals(body)).toBe(true);
});

it("gives the handler the caller's URL, route parameters, query and headers (@azure/functions 4.16, createStreamRequest)", async () => {
  const response = await fetch(`http://127.0.0.1:${app().port}/facts/a%20b?tag=x&tag=y`, {
    headers: { "x-custom": "yes", "x-ms-client-principal": "bm9ib2R5" },
  });

  expect(await response.json()).toEqual({
    ...{ url: `http://127.0.0.1:${app().port}/facts/a%20b?tag=x&tag=y`, name: "a b", tags: ["x", "y"], custom: "yes" },
    user: null,
  });
  expect(response.headers.getSetCookie()).toEqual(["seen=yes"]);
});

it("answers 500 for a handler that throws, and goes on (Azure/azure-functions-nodejs-library, HTTP streams)", async () => {
  const failed = await app().request("POST", "/throws", { body: "x" });
  const after = await app().request("GET", "/facts/after");

  expect([failed.status, failed.text, after.status]).toEqual([500, "", 200]);
  await app().said(/Executed 'Functions\.throws' \(Failed/);
});

it("cuts an answer off whose stream breaks, for its status is out already (RFC 9112, incomplete messages)", async () => {
  const response = await fetch(`http://127.0.0.1:${app().port}/breaks`);

  await expect(response.arrayBuffer()).rejects.toThrow();
  await app().said(/in the middle of an answer/);
});

it("answers 204 for a function that gives nothing (@azure/functions 4.16, enableHttpStream)", async () => {
  const { status, text } = await app().request("GET", "/nothing");

  expect({ status, text }).toEqual({ status: 204, text: "" });
});

it("lets a function answer without reading the body (@azure/functions 4.16, enableHttpStream)", async () => {
  const { status, body } = await sendPieces("/unread", [randomBytes(4_000_000)]);

  expect([status, body.toString()]).toEqual([202, "not read"]);
});

it("refuses a streamed body over the limit, declared or not (docs: App settings reference, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT)", async () => {
  const declared = await fetch(`http://127.0.0.1:${app().port}/upload`, {
    method: "POST",
    body: new Uint8Array(LIMIT_BYTES + 1),
  }).catch(() => undefined);
  const pieces = Array.from({ length: 20 }, () => Buffer.alloc(500_000));
  const undeclared = await sendPieces("/upload", pieces).catch(() => undefined);
  const after = await app().request("GET", "/facts/after");

  // The connection may be closed before all is sent: then there is no answer to read.
  expect([413, undefined]).toContain(declared?.status);
  expect([413, undefined]).toContain(undeclared?.status);
  expect(after.status).toBe(200);
});

it("forgets a caller who goes away in the middle, and ends the function's stream (@azure/functions 4.16, enableHttpStream)", async () => {
  const gone = new AbortController();
  const response = await fetch(`http://127.0.0.1:${app().port}/download/1000`, { signal: gone.signal });
  gone.abort();
  const [ended] = await app().said(
    /Executed 'Functions\.download' \((?:Failed|Succeeded), [^)]*\)(?![\s\S]*Executing 'Functions\.download')/,
  );

  expect(response.status).toBe(200);
  expect(ended).toBeTruthy();
});
