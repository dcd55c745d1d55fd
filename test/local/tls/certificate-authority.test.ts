import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { loadOrCreateCa } from "../../../local/tls/certificate-authority";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "corral-tls-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const DAY_MS = 24 * 60 * 60 * 1000;

async function isTrusted(tls: { key: string; cert: string; caPem: string }, servername: string): Promise<boolean> {
  const server = createServer(tls);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: servername === "127.0.0.1" ? "" : servername,
    ca: tls.caPem,
  });
  socket.on("secureConnect", () => resolve(socket.authorized));
  socket.on("error", () => resolve(false));
  const isAuthorized = await promise;
  socket.destroy();
  await new Promise((done) => server.close(done));
  return isAuthorized;
}

it.each([
  { name: "localhost", trusted: true },
  { name: "127.0.0.1", trusted: true },
  { name: "kv1.vault.localhost", trusted: true },
  { name: "example.com", trusted: false },
])("serves $name: $trusted", async ({ name, trusted }) => {
  const tls = await loadOrCreateCa(folder);

  expect(await isTrusted(tls, name)).toBe(trusted);
});

it("keeps its certificates, and its keys for itself", async () => {
  const first = await loadOrCreateCa(folder);
  const second = await loadOrCreateCa(folder);

  expect(second).toEqual(first);
  expect(["local-ca.key", "server.key"].map((file) => statSync(join(folder, file)).mode & 0o777)).toEqual([
    0o600, 0o600,
  ]);
  expect(readFileSync(first.caFile, "utf8")).toBe(first.caPem);
});

it("renews the server certificate near its end, from the same authority", async () => {
  const first = await loadOrCreateCa(folder);
  const renewed = await loadOrCreateCa(folder, new Date(Date.now() + 380 * DAY_MS));

  expect(renewed.caPem).toBe(first.caPem);
  expect(new X509Certificate(renewed.cert).serialNumber).not.toBe(new X509Certificate(first.cert).serialNumber);
});

it("makes a new authority near its end, and a server certificate from it", async () => {
  const first = await loadOrCreateCa(folder);
  const renewed = await loadOrCreateCa(folder, new Date(Date.now() + 3640 * DAY_MS));

  expect(renewed.caPem).not.toBe(first.caPem);
  expect(new X509Certificate(renewed.cert).verify(new X509Certificate(renewed.caPem).publicKey)).toBe(true);
});

it("starts anew from files that a crash has cut short", async () => {
  const first = await loadOrCreateCa(folder);
  writeFileSync(first.caFile, first.caPem.slice(0, 40));

  const repaired = await loadOrCreateCa(folder);

  expect(await isTrusted(repaired, "localhost")).toBe(true);
});
