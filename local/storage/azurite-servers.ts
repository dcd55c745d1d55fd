import { join } from "node:path";
import BlobConfiguration from "azurite/dist/src/blob/BlobConfiguration";
import BlobServer from "azurite/dist/src/blob/BlobServer";
import type { ExtentSettings } from "azurite/dist/src/common/ConfigurationBase";
import { configLogger } from "azurite/dist/src/common/Logger";
import type { AzuriteServer } from "azurite/dist/src/common/ServerBase";
import QueueConfiguration from "azurite/dist/src/queue/QueueConfiguration";
import QueueServer from "azurite/dist/src/queue/QueueServer";
import TableConfiguration from "azurite/dist/src/table/TableConfiguration";
import TableServer from "azurite/dist/src/table/TableServer";
import { accountKeysOf, isAccountName } from "./account-keys";

export interface AzuriteOptions {
  /** Undefined: everything in memory. */
  readonly folder: string | undefined;
  readonly port: number;
  readonly account: { readonly name: string; readonly key: string };
}

export type StorageService = "blob" | "queue" | "table";

const host = "127.0.0.1";
/** Longer than clients keep their connections, so that none is closed under a request. */
const keepAliveSeconds = 120;

export function createAzurite(service: StorageService, options: AzuriteOptions): AzuriteServer {
  configLogger(false);
  const server = constructors[service](options);
  const accounts = accountsBy(options.account);
  // Not through the environment, which belongs to the whole process: two storages may stand side by side.
  server.accountDataStore.refresh = () => {
    server.accountDataStore.accounts = accounts;
  };
  return server;
}

type Accounts = AzuriteServer["accountDataStore"]["accounts"];

/** The stack's own account, and whichever other one is asked for: which of them exist ARM knows, and the front asks it. */
function accountsBy({ name, key }: AzuriteOptions["account"]): Accounts {
  const own = { name, key1: Buffer.from(key, "base64"), key2: undefined };
  const account = (asked: string | symbol): Accounts[string] | undefined => {
    if (asked === name) return own;
    if (typeof asked !== "string" || !isAccountName(asked)) return undefined;
    const [key1, key2] = accountKeysOf(key, asked).map((one) => Buffer.from(one, "base64"));
    return key1 && { name: asked, key1, key2 };
  };
  return new Proxy<Accounts>({}, { get: (_none, asked) => account(asked) });
}

const constructors: Readonly<Record<StorageService, (options: AzuriteOptions) => AzuriteServer>> = {
  table: ({ folder, port }) =>
    new TableServer(
      new TableConfiguration(
        ...([
          host,
          port,
          keepAliveSeconds,
          join(folder ?? "", "table.json"),
          false,
          false,
          undefined,
          undefined,
        ] as const),
        ...([false, true, ...lastSettings(folder)] as const),
      ),
    ),
  queue: (options) => new QueueServer(new QueueConfiguration(...extentSettings("queue", options))),
  blob: (options) => new BlobServer(new BlobConfiguration(...extentSettings("blob", options))),
};

function extentSettings(service: "blob" | "queue", { folder, port }: AzuriteOptions): ExtentSettings {
  const at = (name: string) => join(folder ?? "", `${service}${name}`);
  const folders = [{ locationId: "Default", locationPath: at("-extents"), maxConcurrency: 10 }];
  const databases = [at(".json"), at("-extents.json")] as const;
  return [
    host,
    port,
    keepAliveSeconds,
    ...databases,
    folders,
    false,
    undefined,
    false,
    undefined,
    false,
    true,
    ...lastSettings(folder),
  ];
}

/** No certificate, no OAuth, URLs of both styles. */
function lastSettings(folder: string | undefined) {
  return ["", "", "", undefined, false, folder === undefined] as const;
}
