import { createHmac } from "node:crypto";
import { type IncomingMessage, request as forward, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { FaultPlan } from "../faults/fault-plan";

/** What a caller wants to do, in the words of Azure's roles. */
export interface BlobQuestion {
  readonly objectId: string;
  readonly action: string;
  readonly plane: "control" | "data";
  readonly account: string;
  readonly container: string;
}

export interface BlobFrontOptions {
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string };
  /** Azurite's blob service: where the bytes lie, behind one account for all. */
  readonly storage: { readonly port: number; readonly account: string; readonly key: string };
  /** Object id of the token's principal; undefined when the token is not good for storage. */
  readonly identify: (authorization: string | undefined) => Promise<string | undefined>;
  readonly allows: (question: BlobQuestion) => boolean;
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
}

export interface BlobFront {
  readonly port: number;
  /** `https://localhost:<port>/<account>/`, as `primaryEndpoints.blob` gives it. */
  endpointOf(account: string): string;
  close(): Promise<void>;
}

interface Target {
  readonly account: string;
  readonly container: string;
  readonly blob: string;
  readonly query: URLSearchParams;
}

const CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers";
const SAS_VERSION = "2021-08-06";
const SAS_HOURS = 12;

/** The data plane of storage accounts: checks the Entra token and the roles of its principal, then lets Azurite serve the bytes. */
export async function startBlobFront(options: BlobFrontOptions): Promise<BlobFront> {
  const server = createServer({ key: options.tls.key, cert: options.tls.cert }, (request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      options.log(`blob front: ${String(error)}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new Error(`The blob front cannot listen on 127.0.0.1:${options.port}: ${error.message}`)),
    );
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    endpointOf: (account) => `https://localhost:${port}/${account}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(options: BlobFrontOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = targetOf(request.url ?? "/");
  const method = request.method ?? "GET";
  const refusal = await refusalOf(options, { authorization: request.headers.authorization, method, target });
  if (refusal) {
    refuse(response, refusal);
    return;
  }
  const subject = `${target.account}/${target.container}/${target.blob}`;
  const verdict = await options.faults.at("before", { service: "storage", operation: `${method} blobs`, subject });
  if (verdict?.kind === "drop") response.destroy();
  else if (verdict) refuse(response, verdict);
  else await pass(options, { request, response, target });
}

/** Token first, then the operation, then the roles; in Azure's words. */
async function refusalOf(
  { identify, allows }: BlobFrontOptions,
  { authorization, method, target }: { authorization: string | undefined; method: string; target: Target },
): Promise<Refusal | undefined> {
  const objectId = await identify(authorization);
  if (objectId === undefined) return UNAUTHENTICATED;
  const wanted = actionOf(method, target);
  if (!wanted) return UNSUPPORTED;
  const { account, container } = target;
  return allows({ objectId, ...wanted, account, container }) ? undefined : FORBIDDEN;
}

/** Path-style addresses, as a computer without DNS of its own needs them: /account/container/blob. */
function targetOf(url: string): Target {
  const { pathname, searchParams } = new URL(url.replace(/^\/+/, "/"), "https://storage");
  const [, account = "", container = "", ...rest] = pathname.split("/");
  return { account, container, blob: rest.join("/"), query: searchParams };
}

/** The right that Azure asks for: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory */
function actionOf(
  method: string,
  { container, blob, query }: Target,
): Pick<BlobQuestion, "action" | "plane"> | undefined {
  if (container === "") return undefined;
  if (blob === "") {
    if (query.get("restype") !== "container") return undefined;
    if (method === "GET" && query.get("comp") === "list") return { action: `${CONTAINERS}/blobs/read`, plane: "data" };
    if (method === "PUT" && !query.has("comp")) return { action: `${CONTAINERS}/write`, plane: "control" };
    return undefined;
  }
  if (method === "GET" || method === "HEAD") return { action: `${CONTAINERS}/blobs/read`, plane: "data" };
  if (method === "PUT") return { action: `${CONTAINERS}/blobs/write`, plane: "data" };
  if (method === "DELETE") return { action: `${CONTAINERS}/blobs/delete`, plane: "data" };
  return undefined;
}

async function pass(
  { storage }: BlobFrontOptions,
  { request, response, target }: { request: IncomingMessage; response: ServerResponse; target: Target },
): Promise<void> {
  const query = new URLSearchParams([...target.query, ...accountSas(storage)]);
  // Azurite has one account: the container's name carries whose it is.
  const container = `${target.account}-${target.container}`;
  const path = [storage.account, container, ...(target.blob === "" ? [] : [target.blob])].join("/");
  const { authorization: _ours, host: _front, ...headers } = request.headers;
  await new Promise<void>((resolve, reject) => {
    const onward = forward(
      { host: "127.0.0.1", port: storage.port, method: request.method, path: `/${path}?${query.toString()}`, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.on("end", resolve);
        answer.on("error", reject);
      },
    );
    onward.on("error", reject);
    request.pipe(onward);
  });
}

/** A shared access signature of the account: https://learn.microsoft.com/rest/api/storageservices/create-account-sas */
function accountSas({ account, key }: BlobFrontOptions["storage"]): [string, string][] {
  const expiry = new Date(Date.now() + SAS_HOURS * 3_600_000).toISOString().replace(/\.\d+Z$/, "Z");
  const [permissions, services, types] = ["rwdlac", "b", "co"];
  const text = [account, permissions, services, types, "", expiry, "", "", SAS_VERSION, "", ""].join("\n");
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
  return [
    ["sv", SAS_VERSION],
    ["ss", services],
    ["srt", types],
    ["sp", permissions],
    ["se", expiry],
    ["sig", signature],
  ];
}

const UNAUTHENTICATED: Refusal = {
  status: 401,
  code: "NoAuthenticationInformation",
  message: "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
};
const UNSUPPORTED: Refusal = {
  status: 400,
  code: "UnsupportedHttpVerb",
  message: "The resource doesn't support the specified HTTP verb.",
};
const FORBIDDEN: Refusal = {
  status: 403,
  code: "AuthorizationPermissionMismatch",
  message: "This request is not authorized to perform this operation using this permission.",
};

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  const challenge = status === 401 ? { "www-authenticate": "Bearer resource_id=https://storage.azure.com" } : {};
  response.writeHead(status, { "content-type": "application/xml", "x-ms-error-code": code, ...challenge });
  response.end(
    `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
}
