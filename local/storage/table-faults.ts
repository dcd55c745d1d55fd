import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { FaultPlan, FaultVerdict } from "../faults/fault-plan";
import { isNamedByBody, tableCallOf, type TableCall } from "./table-call";

/**
 * Puts the fault plan in front of the Table service, inside of its own HTTP server: a proxy would cost a hop on every call, this
 * costs nothing while no rule is armed.
 */
export function faceTableFaults(server: Server, faults: FaultPlan): void {
  const listeners = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  const serve: RequestListener = (request, response) => {
    for (const listener of listeners) listener.call(server, request, response);
  };
  server.on("request", (request, response) => {
    if (faults.list().length === 0) serve(request, response);
    else void serveUnderFaults({ request, response, faults, serve });
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: Parameters<RequestListener>[1];
  readonly faults: FaultPlan;
  readonly serve: RequestListener;
}

async function serveUnderFaults({ request, response, faults, serve }: Exchange): Promise<void> {
  const call = await nameCall(request);
  const before = await faults.at("before", { service: "storage", ...call });
  if (before) {
    obey(before, request, response);
    return;
  }
  if (request.socket.destroyed) return;
  const answered = withholdAnswer(response);
  serve(request, response);
  const answer = await answered;
  const after = await faults.at("after", { service: "storage", ...call });
  answer.restore();
  if (after) obey(after, request, response);
  else answer.send();
}

async function nameCall(request: IncomingMessage): Promise<TableCall> {
  const { url = "/" } = request;
  // Old clients send a merge as a POST that says what it means.
  const method = String(request.headers["x-http-method"] ?? request.method);
  const body = isNamedByBody({ method, url }) ? await peekBody(request) : "";
  return tableCallOf({ method, url, body });
}

/** Reads the whole body and puts it back, so that the service finds it as if nobody had looked. */
async function peekBody(request: IncomingMessage): Promise<string> {
  const length = Number(request.headers["content-length"] ?? 0);
  const chunks: Buffer[] = [];
  let read = 0;
  while (read < length && !request.destroyed) {
    const chunk = request.read() as Buffer | null;
    if (chunk === null) {
      await new Promise<void>((resolve) => request.once("readable", resolve).once("close", resolve));
      continue;
    }
    chunks.push(chunk);
    read += chunk.length;
  }
  const body = Buffer.concat(chunks);
  // In the same tick as the last read: one tick later the stream would say that it has ended.
  if (body.length > 0) request.unshift(body);
  return body.toString();
}

interface WithheldAnswer {
  /** Gives the response its own methods back. */
  restore(): void;
  send(): void;
}

/** Gathers what the service answers; the promise resolves once the answer is complete, and nothing of it has left. */
function withholdAnswer(response: ServerResponse): Promise<WithheldAnswer> {
  const [write, end] = [response.write.bind(response), response.end.bind(response)];
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const gather = (chunk: unknown, encoding: unknown) => {
      if (typeof chunk === "string")
        chunks.push(Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8"));
      else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    };
    response.write = (chunk: unknown, ...rest: unknown[]) => {
      gather(chunk, rest[0]);
      const written = rest.at(-1);
      if (typeof written === "function") setImmediate(written as () => void);
      return true;
    };
    response.end = ((chunk: unknown, encoding: unknown) => {
      gather(chunk, encoding);
      const restore = () => void Object.assign(response, { write, end });
      resolve({ restore, send: () => void response.end(Buffer.concat(chunks)) });
      return response;
    }) as ServerResponse["end"];
  });
}

/** Errors look as the Table service writes them. */
function obey(verdict: FaultVerdict, request: IncomingMessage, response: ServerResponse): void {
  if (verdict.kind === "drop") {
    request.socket.destroy();
    return;
  }
  const { status, code, message, headers } = verdict;
  const error = JSON.stringify({ "odata.error": { code, message: { lang: "en-US", value: message } } });
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  // The body of the request may not have been read.
  response.setHeader("connection", "close");
  response.writeHead(status, {
    "content-type": "application/json;odata=minimalmetadata",
    "x-ms-error-code": code,
    ...headers,
  });
  response.end(error);
}
