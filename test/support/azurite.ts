import { TableClient } from "@azure/data-tables";
import { FaultPlan } from "../../local/faults/fault-plan";
import { startStorage, type Storage } from "../../local/storage/storage";

let storage: Storage | undefined;
let isHooked = false;
let tables = 0;

/** Azurite's servers in this process, in memory, once for each test file. */
function hookStorage(): void {
  if (isHooked) return;
  isHooked = true;
  beforeAll(async () => {
    const ports = { blob: 0, queue: 0, table: 0 };
    storage = await startStorage({ folder: undefined, ports, faults: new FaultPlan(), log: () => undefined });
  });
  afterAll(() => storage?.close());
}

/** A fresh table for each test, on Azurite. */
export function useTable(name: string): () => TableClient {
  hookStorage();
  let client: TableClient | undefined;
  beforeEach(async () => {
    if (!storage) throw new Error("Azurite did not start");
    const options = { allowInsecureConnection: true, retryOptions: { maxRetries: 0 } };
    client = TableClient.fromConnectionString(storage.connectionString, `${name}${(tables += 1)}`, options);
    await client.createTable();
  });
  return () => {
    if (!client) throw new Error("a table is there within a test only");
    return client;
  };
}
