/** The parts of Azurite 3.37.0 that are started in this process. They are no public interface, hence the pinned version. */

declare module "azurite/dist/src/common/Logger" {
  export function configLogger(enableDebugLog: boolean): void;
}

declare module "azurite/dist/src/common/ServerBase" {
  import type { Server } from "node:http";

  /** What is used of each of the servers. */
  export interface AzuriteServer {
    readonly httpServer: Server;
    readonly accountDataStore: AccountStore;
    start(): Promise<void>;
    close(): Promise<void>;
  }

  /** Reads its accounts from the environment, and again every minute. */
  interface AccountStore {
    accounts: Record<string, { name: string; key1: Buffer; key2: Buffer | undefined }>;
    refresh(): void;
  }
}

declare module "azurite/dist/src/common/ConfigurationBase" {
  type LastSettings = [
    ...[cert: string, key: string, pwd: string, oauth: undefined],
    ...[disableProductStyleUrl: boolean, isMemoryPersistence: boolean],
  ];

  export type TableSettings = [
    ...[host: string, port: number, keepAliveSeconds: number, database: string, debug: boolean, access: boolean],
    ...[accessLog: undefined, debugLog: undefined, loose: boolean, skipApiVersionCheck: boolean],
    ...LastSettings,
  ];

  /** Of the blob and the queue service; access comes before debug here. */
  export type ExtentSettings = [
    ...[
      host: string,
      port: number,
      keepAliveSeconds: number,
      database: string,
      extents: string,
      folders: ExtentFolder[],
    ],
    ...[access: boolean, accessLog: undefined, debug: boolean, debugLog: undefined],
    ...[loose: boolean, skipApiVersionCheck: boolean],
    ...LastSettings,
  ];

  interface ExtentFolder {
    readonly locationId: string;
    readonly locationPath: string;
    readonly maxConcurrency: number;
  }
}

declare module "azurite/dist/src/table/TableConfiguration" {
  import type { TableSettings } from "azurite/dist/src/common/ConfigurationBase";

  const TableConfiguration: new (...settings: TableSettings) => { readonly service: "table" };
  export default TableConfiguration;
}

declare module "azurite/dist/src/table/TableServer" {
  import type { AzuriteServer } from "azurite/dist/src/common/ServerBase";

  const TableServer: new (configuration: { readonly service: "table" }) => AzuriteServer;
  export default TableServer;
}

declare module "azurite/dist/src/queue/QueueConfiguration" {
  import type { ExtentSettings } from "azurite/dist/src/common/ConfigurationBase";

  const QueueConfiguration: new (...settings: ExtentSettings) => { readonly service: "queue" };
  export default QueueConfiguration;
}

declare module "azurite/dist/src/queue/QueueServer" {
  import type { AzuriteServer } from "azurite/dist/src/common/ServerBase";

  const QueueServer: new (configuration: { readonly service: "queue" }) => AzuriteServer;
  export default QueueServer;
}

declare module "azurite/dist/src/blob/BlobConfiguration" {
  import type { ExtentSettings } from "azurite/dist/src/common/ConfigurationBase";

  const BlobConfiguration: new (...settings: ExtentSettings) => { readonly service: "blob" };
  export default BlobConfiguration;
}

declare module "azurite/dist/src/blob/BlobServer" {
  import type { AzuriteServer } from "azurite/dist/src/common/ServerBase";

  const BlobServer: new (configuration: { readonly service: "blob" }) => AzuriteServer;
  export default BlobServer;
}
