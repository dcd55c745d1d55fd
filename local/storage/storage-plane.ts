import type { FaultPlan } from "../faults/fault-plan";
import type { StorageService } from "./azurite-servers";
import type { FrontAccess } from "./front-access";
import type { Storage } from "./storage";
import { createStorageControl, type StorageControl } from "./storage-control";
import { startStorageFront, type StorageFront } from "./storage-front";

export interface StoragePlaneOptions extends FrontAccess {
  readonly storage: Storage;
  readonly ports: Readonly<Record<StorageService, number>>;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
}

export interface StoragePlane {
  readonly ports: Readonly<Record<StorageService, number>>;
  endpointOf(service: StorageService, account: string): string;
  close(): Promise<void>;
}

/** Blobs, queues and tables of the estates' storage accounts, each service at a port of its own, for whoever has a token and the roles. */
export async function startStoragePlane(options: StoragePlaneOptions): Promise<StoragePlane> {
  const { storage, ports, ...common } = options;
  const started: StorageFront[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((front) => front.close()));
  };
  const start = async (service: StorageService): Promise<StorageFront> => {
    const azurite = { port: storage.ports[service], key: storage.account.key };
    const front = await startStorageFront({ ...common, service, port: ports[service], storage: azurite });
    started.push(front);
    return front;
  };
  try {
    const fronts = { blob: await start("blob"), queue: await start("queue"), table: await start("table") };
    return {
      ports: { blob: fronts.blob.port, queue: fronts.queue.port, table: fronts.table.port },
      endpointOf: (service, account) => fronts[service].endpointOf(account),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** ARM is started before the fronts, which ask it who may: the endpoints are known a little later. */
export function storageControlOf(storage: Storage, plane: () => StoragePlane | undefined): StorageControl {
  return createStorageControl({
    ports: storage.ports,
    masterKey: storage.account.key,
    endpointOf: (service, account) => plane()?.endpointOf(service, account) ?? "",
  });
}
