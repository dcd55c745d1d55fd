import type { StorageTarget } from "./storage-target";

/** A right in the words of Azure's roles, and where it must be held; any one of `actions` is enough. */
export interface NeededRight {
  readonly actions: readonly string[];
  readonly plane: "control" | "data";
  /** Below the account: `/blobServices/default/containers/x`. */
  readonly scope: string;
}

const BLOB_SERVICES = "Microsoft.Storage/storageAccounts/blobServices";
const CONTAINERS = `${BLOB_SERVICES}/containers`;
const QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues";
const TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables";

const control = (scope: string, ...actions: string[]): NeededRight => ({ actions, plane: "control", scope });
const data = (scope: string, ...actions: string[]): NeededRight => ({ actions, plane: "data", scope });

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-blob-service-operations */
export function blobRightsOf(
  method: string,
  target: StorageTarget,
  headers: NodeJS.Dict<string | string[]>,
): NeededRight[] {
  const { container, item, query } = target;
  const comp = query.get("comp");
  if (container === "") return serviceRights(method, comp);
  const scope = `/blobServices/default/containers/${container}`;
  if (item === "" && query.get("restype") === "container") return containerRights(method, comp, scope);
  if (item === "") return [];
  if (comp === "tags") return tagRights(method, scope);
  switch (method) {
    case "GET":
    case "HEAD":
      return [data(scope, `${CONTAINERS}/blobs/read`)];
    case "DELETE":
      return [data(scope, `${CONTAINERS}/blobs/delete`)];
    case "PUT":
      return [
        isAdding(comp, headers)
          ? data(scope, `${CONTAINERS}/blobs/write`, `${CONTAINERS}/blobs/add/action`)
          : data(scope, `${CONTAINERS}/blobs/write`),
      ];
    default:
      return [];
  }
}

/** Appending, and writing a blob that must not be there yet, may who may add only. */
function isAdding(comp: string | null, headers: NodeJS.Dict<string | string[]>): boolean {
  return comp === "appendblock" || (comp === null && headers["if-none-match"] === "*");
}

function serviceRights(method: string, comp: string | null): NeededRight[] {
  const key = `${method} ${comp ?? ""}`;
  if (key === "GET list") return [control("/blobServices/default", `${CONTAINERS}/read`)];
  if (key === "POST userdelegationkey") return [control("", `${BLOB_SERVICES}/generateUserDelegationKey/action`)];
  if (key === "GET properties") return [control("", `${BLOB_SERVICES}/read`)];
  return [];
}

function containerRights(method: string, comp: string | null, scope: string): NeededRight[] {
  switch (`${method} ${comp ?? ""}`) {
    case "GET list":
      return [data(scope, `${CONTAINERS}/blobs/read`)];
    case "GET ":
    case "HEAD ":
    case "GET metadata":
    case "HEAD metadata":
      return [control(scope, `${CONTAINERS}/read`)];
    case "PUT ":
    case "PUT metadata":
    case "PUT lease":
      return [control(scope, `${CONTAINERS}/write`)];
    case "DELETE ":
      return [control(scope, `${CONTAINERS}/delete`)];
    default:
      return [];
  }
}

function tagRights(method: string, scope: string): NeededRight[] {
  if (method === "GET") return [data(scope, `${CONTAINERS}/blobs/tags/read`)];
  return method === "PUT" ? [data(scope, `${CONTAINERS}/blobs/tags/write`)] : [];
}

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-queue-service-operations */
export function queueRightsOf(method: string, { container, item, query }: StorageTarget): NeededRight[] {
  if (container === "")
    return method === "GET" && query.get("comp") === "list"
      ? [control("/queueServices/default", `${QUEUES}/read`)]
      : [];
  const scope = `/queueServices/default/queues/${container}`;
  if (item === "") {
    const verb = { GET: "read", HEAD: "read", PUT: "write", DELETE: "delete" }[method];
    return verb === undefined ? [] : [control(scope, `${QUEUES}/${verb}`)];
  }
  const message = `${QUEUES}/messages`;
  if (item === "messages") {
    if (method === "GET" && query.get("peekonly") === "true") return [data(scope, `${message}/read`)];
    if (method === "GET") return [data(scope, `${message}/process/action`)];
    if (method === "POST") return [data(scope, `${message}/add/action`, `${message}/write`)];
    return method === "DELETE" ? [data(scope, `${message}/delete`)] : [];
  }
  if (method === "PUT") return [data(scope, `${message}/write`)];
  return method === "DELETE" ? [data(scope, `${message}/delete`, `${message}/process/action`)] : [];
}

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-table-service-operations */
export function tableRightsOf(method: string, { container, item }: StorageTarget): NeededRight[] {
  if (container === "Tables") return tableRights(method, item);
  if (container === "" || container.startsWith("$")) return [];
  const scope = `/tableServices/default/tables/${container}`;
  const entity = `${TABLES}/entities`;
  switch (method) {
    case "GET":
      return [data(scope, `${entity}/read`)];
    case "POST":
      return [data(scope, `${entity}/write`, `${entity}/add/action`)];
    case "PUT":
    case "PATCH":
    case "MERGE":
      return [data(scope, `${entity}/write`, `${entity}/update/action`)];
    case "DELETE":
      return [data(scope, `${entity}/delete`)];
    default:
      return [];
  }
}

/** A new table is named by the body alone, so that its right is asked for on all of them. */
function tableRights(method: string, item: string): NeededRight[] {
  const name = /^\('([^']+)'\)$/.exec(item)?.[1];
  const scope = name === undefined ? "/tableServices/default" : `/tableServices/default/tables/${name}`;
  const verb = { GET: "read", POST: "write", DELETE: "delete" }[method];
  return verb === undefined ? [] : [control(scope, `${TABLES}/${verb}`)];
}

/** Each request inside of a batch needs its right. */
export function batchRightsOf(body: string, parse: (url: string) => StorageTarget | undefined): NeededRight[] {
  const lines = [...body.matchAll(/^(GET|POST|PUT|PATCH|MERGE|DELETE) (\S+) HTTP\/1\.1\r?$/gm)];
  const rights = lines.map(([, method = "", url = ""]) => {
    const target = parse(url.replace(/^https?:\/\/[^/]+/, ""));
    return target ? tableRightsOf(method, target) : [];
  });
  // One that is not understood makes the whole not understood.
  return rights.some((one) => one.length === 0) ? [] : rights.flat();
}
