/** A call of the Table service in the fault plan's words. */
export interface TableCall {
  /** `insert Jobs`, `update Jobs`, `merge Jobs`, `delete Jobs`, `get Jobs`, `query Jobs`. */
  readonly operation: string;
  /** The path of the entity, whichever way the call names it: `Jobs(PartitionKey='fabrikam',RowKey='j1')`; all of a batch, parted by blanks. */
  readonly subject: string;
}

export interface TableRequest {
  readonly method: string;
  /** As it came: with the account, and percent-encoded. */
  readonly url: string;
  readonly body: string;
}

/** https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api */
export function tableCallOf(request: TableRequest): TableCall {
  const path = pathOf(request.url);
  if (path !== "$batch") return singleCall(request.method, path, request.body);
  const calls = batchRequests(request.body).map(({ method, url, body }) => singleCall(method, pathOf(url), body));
  // All entities of a batch are of one table, and most batches do one thing.
  return { operation: calls[0]?.operation ?? "batch", subject: calls.map(({ subject }) => subject).join(" ") };
}

/** True when a call can only be named by what its body says. */
export function isNamedByBody({ method, url }: Pick<TableRequest, "method" | "url">): boolean {
  return method === "POST" && !pathOf(url).includes("(");
}

const verbs: Readonly<Record<string, string>> = {
  POST: "insert",
  PUT: "update",
  PATCH: "merge",
  MERGE: "merge",
  DELETE: "delete",
};

function singleCall(method: string, path: string, body: string): TableCall {
  const [table, keys] = splitAt(path, path.indexOf("("));
  const isEntity = keys !== "" && keys !== "()";
  const verb = method === "GET" ? readVerb(isEntity) : verbs[method];
  const subject = method === "POST" ? `${table}${keysIn(body)}` : path;
  return { operation: `${verb ?? method} ${table}`, subject };
}

function readVerb(isEntity: boolean): string {
  return isEntity ? "get" : "query";
}

/** The keys of an entity that is being inserted, or the name of a table. */
function keysIn(body: string): string {
  const entity = parsed(body);
  if (entity["TableName"] !== undefined) return `('${entity["TableName"]}')`;
  return `(PartitionKey='${quoted(entity["PartitionKey"])}',RowKey='${quoted(entity["RowKey"])}')`;
}

/** In paths a quote within a key is written twice. */
function quoted(key = ""): string {
  return key.replaceAll("'", "''");
}

function parsed(body: string): Partial<Record<string, string>> {
  try {
    return JSON.parse(body) as Partial<Record<string, string>>;
  } catch {
    // Whatever it is, the service will refuse it; here it only has no keys.
    return {};
  }
}

/** `/devstoreaccount1/Jobs(...)?$select=x` and `http://host/devstoreaccount1/Jobs(...)` both name `Jobs(...)`. */
function pathOf(url: string): string {
  const { pathname } = new URL(url, "http://127.0.0.1");
  return decodedPath(pathname.split("/").slice(2).join("/"));
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Not a percent-encoding: the service refuses it.
    return path;
  }
}

/** The requests inside of a multipart body, each with its request line, headers, a blank line and its own body. */
function batchRequests(body: string): TableRequest[] {
  const requestLine = /^(GET|POST|PUT|PATCH|MERGE|DELETE) (\S+) HTTP\/1\.1\r?$/gm;
  return [...body.matchAll(requestLine)].map((match) => {
    // Up to the boundary; clients write an entity on one line.
    const [part = ""] = body.slice(match.index + match[0].length).split(/^--/m, 1);
    const content = /^\{.*$/m.exec(part)?.[0] ?? "";
    return { method: match[1] ?? "", url: match[2] ?? "", body: content };
  });
}

function splitAt(text: string, index: number): [string, string] {
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index)];
}
