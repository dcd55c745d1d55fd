import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import type { FaultPlan } from "../faults/fault-plan";
import type { AzuriteServer } from "azurite/dist/src/common/ServerBase";
import { createAzurite, type StorageService } from "./azurite-servers";
import { faceTableFaults } from "./table-faults";

export interface StorageOptions {
  /** Where the data lies; undefined keeps it in memory. */
  readonly folder: string | undefined;
  /** 0 takes a free port. */
  readonly ports: Readonly<Record<StorageService, number>>;
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
}

export interface Storage {
  readonly connectionString: string;
  readonly tableUrl: string;
  readonly account: { readonly name: string; readonly key: string };
  readonly ports: Readonly<Record<StorageService, number>>;
  /** Writes everything to the folder; a kill loses what Azurite has not saved yet, up to five seconds. */
  close(): Promise<void>;
}

const accountName = "devstoreaccount1";

/** Starts Azurite's blob, queue and table services in this process; the Table service obeys the fault plan. */
export async function startStorage(options: StorageOptions): Promise<Storage> {
  const { folder, ports, faults, log } = options;
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const account = { name: accountName, key: accountKey(folder) };
  const started: AzuriteServer[] = [];
  const close = async () => {
    await Promise.all(started.splice(0).map((server) => closeServer(server)));
  };
  const start = async (service: StorageService) => {
    await checkPort(service, ports[service]);
    const server = createAzurite(service, { folder, account, port: ports[service] });
    if (service === "table") faceTableFaults(server.httpServer, faults);
    await server.start();
    started.push(server);
    return (server.httpServer.address() as AddressInfo).port;
  };
  try {
    const actual = { blob: await start("blob"), queue: await start("queue"), table: await start("table") };
    log(`storage: blob ${actual.blob}, queue ${actual.queue}, table ${actual.table}`);
    const url = (service: StorageService) => `http://127.0.0.1:${actual[service]}/${accountName}`;
    const endpoints = `BlobEndpoint=${url("blob")};QueueEndpoint=${url("queue")};TableEndpoint=${url("table")};`;
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=${accountName};AccountKey=${account.key};${endpoints}`;
    return { connectionString, tableUrl: url("table"), account, ports: actual, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function closeServer(server: AzuriteServer): Promise<void> {
  await server.close();
  // A call that a fault rule holds would keep its connection, and reach for data that is closed.
  server.httpServer.closeAllConnections();
}

/** A key of this folder's own, made at the first start. */
function accountKey(folder: string | undefined): string {
  if (folder === undefined) return randomBytes(64).toString("base64");
  const file = join(folder, "account-key");
  if (!existsSync(file)) writeFileSync(file, randomBytes(64).toString("base64"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}

/** Azurite cannot be cleaned up after a start that failed on its port, so the port is tried before. */
async function checkPort(service: StorageService, port: number): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", (error: NodeJS.ErrnoException) => reject(portError(error, { service, port })));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve()));
  });
}

function portError(error: NodeJS.ErrnoException, { service, port }: { service: StorageService; port: number }): Error {
  if (error.code !== "EADDRINUSE") return error;
  return new Error(`Storage cannot listen on 127.0.0.1:${port} (${service}): the port is in use.`, { cause: error });
}
