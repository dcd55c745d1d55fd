import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openContainer, type BlobContainer } from "../../../src/agent/blob";

interface SeenRequest {
  readonly line: string;
  readonly bytes: number;
  readonly authorization: string | undefined;
}

let folder: string;
let server: Server;
let container: BlobContainer;
let seen: SeenRequest[];
let respond: (request: IncomingMessage, response: ServerResponse) => void;
const { signal } = new AbortController();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "corral-blob-"));
  seen = [];
  respond = (_request, response) => response.writeHead(201).end();
  server = createServer((request, response) => void receive(request, response));
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, "127.0.0.1", () => resolve(undefined));
  await promise;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/account/data`;
  container = openContainer(url, {
    token: (resource, fresh) => Promise.resolve(`${resource} ${fresh}`),
    retryBaseMs: 1,
  });
});
afterEach(async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.close(() => resolve(undefined));
  server.closeAllConnections();
  await promise;
  rmSync(folder, { recursive: true, force: true });
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  seen.push({
    line: `${request.method ?? ""} ${request.url ?? ""}`,
    bytes,
    authorization: request.headers.authorization,
  });
  respond(request, response);
}

function fileOf(bytes: number): { readonly path: string; readonly bytes: number } {
  const path = join(folder, "file");
  writeFileSync(path, "");
  truncateSync(path, bytes);
  return { path, bytes };
}

it.each([0, 5])("puts a file of %d bytes in one request, with the identity's token for storage", async (bytes) => {
  await container.upload("runs/a b.txt", fileOf(bytes), signal);

  expect(seen).toEqual([
    { line: "PUT /account/data/runs/a%20b.txt", bytes, authorization: "Bearer https://storage.azure.com false" },
  ]);
});

it("puts a large file in blocks and then their list", async () => {
  const blockBytes = 64 * 1024 * 1024;

  await container.upload("large", fileOf(blockBytes + 1), signal);

  expect(seen.map(({ line }) => line.replace(/blockid=.*/, "blockid"))).toEqual([
    "PUT /account/data/large?comp=block&blockid",
    "PUT /account/data/large?comp=block&blockid",
    "PUT /account/data/large?comp=blocklist",
  ]);
  expect(seen.slice(0, 2).map(({ bytes }) => bytes)).toEqual([blockBytes, 1]);
});

it("lists all pages", async () => {
  respond = (request, response) => {
    const second = request.url?.includes("marker=next");
    const blob = `<Blob><Name>${second ? "b" : "a"}</Name><Content-Length>1</Content-Length></Blob>`;
    response.end(`<Blobs>${blob}</Blobs>${second ? "<NextMarker/>" : "<NextMarker>next</NextMarker>"}`);
  };

  expect((await container.list(signal)).map(({ name }) => name)).toEqual(["a", "b"]);
});

it("downloads again when the storage account fails or breaks off", async () => {
  respond = (_request, response) => {
    if (seen.length === 1) response.writeHead(503).end();
    else if (seen.length === 2)
      response.writeHead(200, { "content-length": 10 }).write("half", () => response.destroy());
    else response.end("whole");
  };

  await container.download("a", join(folder, "sub", "a"), signal);

  expect(readFileSync(join(folder, "sub", "a"), "utf8")).toBe("whole");
});

it("asks for a new token after a 401", async () => {
  respond = (_request, response) => response.writeHead(seen.length === 1 ? 401 : 201).end();

  await container.upload("a", fileOf(1), signal);

  expect(seen.map(({ authorization }) => authorization)).toEqual([
    "Bearer https://storage.azure.com false",
    "Bearer https://storage.azure.com true",
  ]);
});

it.each([
  { status: 404, requests: 1 },
  { status: 503, requests: 4 },
])("gives up on $status after $requests requests and says what was answered", async ({ status, requests }) => {
  respond = (_request, response) => response.writeHead(status).end("<Error><Code>Why</Code></Error>");

  await expect(container.upload("a", fileOf(1), signal)).rejects.toThrow(
    `PUT /account/data/a: the storage account answered ${status} Why`,
  );

  expect(seen).toHaveLength(requests);
});
