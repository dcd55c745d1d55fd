import { request as send } from "node:http";
import { accountKeysOf, accountSas, tableAuthorization } from "./account-keys";
import type { StorageService } from "./azurite-servers";

export interface BlobContainer {
  readonly name: string;
  readonly etag: string;
  readonly lastModified: string;
  readonly leaseState: string;
  readonly leaseStatus: string;
}

/** What ARM does with the data of accounts. */
export interface StorageControl {
  /** `https://localhost:<port>/<account>/` of a service. */
  endpointOf(service: StorageService, account: string): string;
  keysOf(account: string): readonly [string, string];
  containers(account: string): Promise<BlobContainer[]>;
  /** False when it is there already. */
  createContainer(account: string, name: string): Promise<boolean>;
  /** False when there is none. */
  deleteContainer(account: string, name: string): Promise<boolean>;
  /** Removes all that an account holds. */
  clear(account: string): Promise<void>;
}

export interface StorageControlOptions {
  readonly ports: Readonly<Record<StorageService, number>>;
  /** What the keys of accounts are made from. */
  readonly masterKey: string;
  readonly endpointOf: StorageControl["endpointOf"];
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Speaks to Azurite itself, with the account's key. */
export function createStorageControl({ ports, masterKey, endpointOf }: StorageControlOptions): StorageControl {
  const keysOf = (account: string): readonly [string, string] => accountKeysOf(masterKey, account);
  const ask = (
    service: StorageService,
    account: string,
    { method, path, query = "" }: { method: string; path: string; query?: string },
  ) =>
    call(
      ports[service],
      signed(service, { account, key: keysOf(account)[0], method, path: `/${account}/${path}`, query }),
    );
  const containers = async (account: string): Promise<BlobContainer[]> => {
    const { text } = await ask("blob", account, { method: "GET", path: "", query: "comp=list&maxresults=5000" });
    return elements(text, "Container").map(containerOf);
  };
  const deleteContainer = async (account: string, name: string): Promise<boolean> => {
    const { status } = await ask("blob", account, { method: "DELETE", path: name, query: "restype=container" });
    return status === 202;
  };
  return {
    endpointOf,
    keysOf,
    containers,
    deleteContainer,
    createContainer: async (account, name) => {
      const { status } = await ask("blob", account, { method: "PUT", path: name, query: "restype=container" });
      return status === 201;
    },
    clear: async (account) => {
      for (const { name } of await containers(account)) await deleteContainer(account, name);
      const queues = await ask("queue", account, { method: "GET", path: "", query: "comp=list" });
      for (const one of elements(queues.text, "Queue"))
        await ask("queue", account, { method: "DELETE", path: element(one, "Name") });
      const tables = await ask("table", account, { method: "GET", path: "Tables" });
      const { value = [] } = JSON.parse(tables.text || "{}") as { value?: readonly { readonly TableName: string }[] };
      for (const { TableName } of value)
        await ask("table", account, { method: "DELETE", path: `Tables('${TableName}')` });
    },
  };
}

interface Signed {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

interface Unsigned {
  readonly account: string;
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
}

function signed(service: StorageService, { account, key, method, path, query }: Unsigned): Signed {
  const date = new Date().toUTCString();
  const common = {
    "x-ms-version": "2021-12-02",
    "x-ms-date": date,
    accept: "application/json;odata=nometadata",
    "content-length": "0",
  };
  if (service === "table") {
    const authorization = tableAuthorization(account, key, { path, comp: null, date });
    return { method, path, headers: { ...common, authorization } };
  }
  const sas = new URLSearchParams(accountSas(account, key, service === "blob" ? "b" : "q")).toString();
  return {
    method,
    path: `${path}?${query === "" ? "" : `${query}&`}${sas}`,
    headers: { ...common, accept: "application/xml" },
  };
}

function call(port: number, { method, path, headers }: Signed): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = send({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Azurite's own lists: flat, and always written the same way. */
const elements = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs"))].map(([, inner = ""]) => inner);

const element = (xml: string, name: string): string => new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(xml)?.[1] ?? "";

const containerOf = (xml: string): BlobContainer => ({
  name: element(xml, "Name"),
  etag: element(xml, "Etag") || element(xml, "ETag"),
  lastModified: new Date(element(xml, "Last-Modified")).toISOString(),
  leaseState: element(xml, "LeaseState") || "available",
  leaseStatus: element(xml, "LeaseStatus") || "unlocked",
});
