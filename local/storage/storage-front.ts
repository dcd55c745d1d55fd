import { type IncomingMessage, request as forward, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { FaultPlan, FaultVerdict } from "../faults/fault-plan";
import { accountKeysOf, accountSas, tableAuthorization } from "./account-keys";
import type { StorageService } from "./azurite-servers";
import { asSynchronousCopy, copyHeaders } from "./copy-source";
import { createDelegationKeys, type DelegationKeys } from "./delegation-sas";
import { decide, type FrontAccess, type Pass } from "./front-access";
import { BAD_URI, type Refusal, refuse } from "./storage-refusal";
import { type StorageTarget, targetOf } from "./storage-target";

export interface StorageFrontOptions extends FrontAccess {
  readonly service: StorageService;
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string };
  /** Azurite's port of the service, and the key that those of the accounts are made from. */
  readonly storage: { readonly port: number; readonly key: string };
  readonly faults: FaultPlan;
  readonly log: (line: string) => void;
}

export interface StorageFront {
  readonly port: number;
  /** `https://localhost:<port>/<account>/`, as `primaryEndpoints` give it. */
  endpointOf(account: string): string;
  close(): Promise<void>;
}

/** The data plane of storage accounts: checks token, signature or key and the roles of a principal, then lets Azurite serve. */
export async function startStorageFront(options: StorageFrontOptions): Promise<StorageFront> {
  const delegation = createDelegationKeys(options.storage.key);
  const own = { port: options.port };
  const server = createServer({ key: options.tls.key, cert: options.tls.cert }, (request, response) => {
    serve({ ...options, delegation, port: own.port }, request, response).catch((error: unknown) => {
      // A client that goes away in the middle is no fault of anybody.
      if (!request.destroyed) options.log(`${options.service} front: ${String(error)}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new Error(`The ${options.service} front cannot listen on 127.0.0.1:${options.port}: ${error.message}`)),
    );
    server.listen(options.port, "127.0.0.1", resolve);
  });
  own.port = (server.address() as AddressInfo).port;
  return {
    port: own.port,
    endpointOf: (account) => `https://localhost:${own.port}/${account}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Front = StorageFrontOptions & { readonly delegation: DelegationKeys };

async function serve(front: Front, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { service, faults } = front;
  const target = targetOf(service, request.url ?? "/");
  if (!target) {
    refuse(response, front, BAD_URI);
    return;
  }
  const pass = await decide(front, request, target);
  if ("status" in pass) {
    refuse(response, front, pass);
    return;
  }
  // The tables have their faults inside of Azurite's own server, where they bear the names of their rows.
  const call = {
    service: "storage",
    operation: `${request.method ?? "GET"} ${service}s`,
    subject: [target.account, target.container, target.item].join("/"),
  };
  const before = service === "table" ? undefined : await faults.at("before", call);
  if (before) {
    obey(before, front, response);
    return;
  }
  if (pass.answer !== undefined) {
    response.writeHead(200, { "content-type": "application/xml" });
    response.end(pass.answer);
    return;
  }
  const after = service === "table" ? undefined : () => faults.at("after", call);
  await onward(front, { request, response, target, pass, after });
}

interface Journey {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: StorageTarget;
  readonly pass: Pass;
  readonly after: (() => Promise<FaultVerdict | undefined>) | undefined;
}

async function onward(front: Front, { request, response, target, pass, after }: Journey): Promise<void> {
  const prepared = await prepare(front, request, { target, pass });
  if ("code" in prepared) {
    refuse(response, front, prepared);
    return;
  }
  const { path, headers, body, statusOf } = prepared;
  await new Promise<void>((resolve, reject) => {
    const sent = forward(
      { host: "127.0.0.1", port: front.storage.port, method: request.method, path, headers },
      (answer) => {
        void (async () => {
          const verdict = await after?.();
          if (verdict) {
            answer.resume();
            obey(verdict, front, response);
          } else {
            response.writeHead(statusOf(answer.statusCode ?? 502), answer.headers);
            answer.pipe(response);
          }
        })().catch(reject);
        answer.on("end", resolve);
        answer.on("error", reject);
      },
    );
    sent.on("error", reject);
    request.on("aborted", () => sent.destroy());
    if (body === undefined) request.pipe(sent);
    else sent.end(body);
  });
}

interface Prepared {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | undefined;
  readonly statusOf: (answered: number) => number;
}

/** The request as Azurite takes it: signed by the account's key, unless the caller has signed it itself. */
async function prepare(
  front: Front,
  request: IncomingMessage,
  { target, pass }: { target: StorageTarget; pass: Pass },
): Promise<Prepared | Refusal> {
  const { body } = pass;
  const statusOf = (answered: number): number => answered;
  // The signature of a client that holds a key covers its own headers and address; Azurite checks it.
  if (pass.by === "key") return { path: request.url ?? "/", headers: withoutHost(request.headers), body, statusOf };
  const copied = front.service === "blob" ? await copyHeaders(copyParts(front), request.headers) : undefined;
  if (copied && "code" in copied) return copied;
  const { authorization: _ours, ...headers } = withoutHost(copied?.headers ?? request.headers);
  const signed = { path: signedPath(front, target), headers: tableHeaders(front, target, headers), body, statusOf };
  const isPutFromUrl = copied !== undefined && headers["x-ms-blob-type"] !== undefined;
  if (!isPutFromUrl) return signed;
  const asPut = (answered: number): number => (answered === 202 ? 201 : answered);
  return { ...signed, headers: asSynchronousCopy(signed.headers), statusOf: asPut };
}

const withoutHost = ({ host: _front, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders => headers;

const SAS_PARAMETERS = /^(s[a-z]{1,2}|sk[a-z]+|sig|saoid|suoid|scid|sduoid|ses|rsc[a-z]|spr|sip|srt|sdd)$/;

function signedPath({ service, storage }: Front, { account, path, query }: StorageTarget): string {
  const own = [...query].filter(([name]) => !SAS_PARAMETERS.test(name));
  const [key] = accountKeysOf(storage.key, account);
  const sas = service === "table" ? [] : accountSas(account, key, service === "blob" ? "b" : "q");
  const all = new URLSearchParams([...own, ...sas]).toString();
  return all === "" ? path : `${path}?${all}`;
}

function tableHeaders(
  { service, storage }: Front,
  target: StorageTarget,
  headers: IncomingHttpHeaders,
): IncomingHttpHeaders {
  if (service !== "table") return headers;
  const date = new Date().toUTCString();
  const [key] = accountKeysOf(storage.key, target.account);
  const authorization = tableAuthorization(target.account, key, {
    path: target.path,
    comp: target.query.get("comp"),
    date,
  });
  return { ...headers, "x-ms-date": date, authorization };
}

const copyParts = (front: Front) => ({
  port: front.port,
  azuritePort: front.storage.port,
  keyOf: (account: string) => accountKeysOf(front.storage.key, account)[0],
  mayRead: async (source: StorageTarget, authorization: string | undefined) => {
    const headers = authorization === undefined ? {} : { authorization };
    const url = `${source.path}?${source.query.toString()}`;
    return !("status" in (await decide(front, { method: "GET", url, headers }, source)));
  },
});

function obey(verdict: FaultVerdict, front: Front, response: ServerResponse): void {
  if (verdict.kind === "drop") response.destroy();
  else refuse(response, front, verdict);
}
