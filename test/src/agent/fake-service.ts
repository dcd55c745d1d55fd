import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { z } from "zod";
import {
  FinishRequest,
  HeartbeatRequest,
  NoticeRequest,
  RegisterRequest,
  WorkRequest,
  type Work,
} from "../../../src/contract/agent";

export interface AgentCall {
  readonly operation: string;
  readonly authorization: string;
  readonly body: Record<string, unknown>;
}

export type FakeAnswer =
  | { readonly status: number; readonly code: string; readonly headers?: Record<string, string> }
  | "drop-after"
  | undefined;

export interface FakeService {
  readonly url: string;
  readonly calls: AgentCall[];
  /** Jobs to hand out, in order. */
  readonly jobs: Work[];
  /** Lets a call fail instead of, or (`drop-after`) after it was done. */
  interfere: (call: AgentCall) => FakeAnswer;
  cancel: boolean;
  bootId: string;
  /** Resolves with the first call of that kind that fits, also one that was made before. */
  heard(operation: string, fits?: (body: Record<string, unknown>) => boolean): Promise<AgentCall>;
  close(): Promise<void>;
}

interface Listener {
  readonly fits: (call: AgentCall) => boolean;
  readonly resolve: (call: AgentCall) => void;
}

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  register: RegisterRequest,
  work: WorkRequest,
  heartbeat: HeartbeatRequest,
  notice: NoticeRequest,
  finish: FinishRequest,
};

/** The agent's side of the service, over real HTTP. It takes nothing that the contract's schemas do not take. */
export async function startFakeService(): Promise<FakeService> {
  let listeners: Listener[] = [];
  const service: Omit<FakeService, "url" | "close"> = {
    calls: [],
    jobs: [],
    interfere: () => undefined,
    cancel: false,
    bootId: "boot-1",
    heard: (operation, fits = () => true) => {
      const matches = (call: AgentCall): boolean => call.operation === operation && fits(call.body);
      const earlier = service.calls.find(matches);
      if (earlier) return Promise.resolve(earlier);
      const { promise, resolve } = Promise.withResolvers<AgentCall>();
      listeners.push({ fits: matches, resolve });
      return promise;
    },
  };
  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === "/api/deployment") {
      send(response, 200, { audience: "api://corral" });
      return;
    }
    const operation = request.url?.replace("/api/agent/v1/", "") ?? "";
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
    const parsed = SCHEMAS[operation]?.safeParse(JSON.parse(text));
    if (!parsed?.success) {
      send(response, 400, { error: { code: "InvalidRequest", message: JSON.stringify(parsed?.error.issues) } });
      return;
    }
    const call = {
      operation,
      authorization: request.headers.authorization ?? "",
      body: parsed.data as Record<string, unknown>,
    };
    service.calls.push(call);
    const fault = service.interfere(call);
    const reply = fault && fault !== "drop-after" ? undefined : replyTo(operation, service);
    const heard = listeners.filter(({ fits }) => fits(call));
    listeners = listeners.filter((listener) => !heard.includes(listener));
    for (const { resolve } of heard) resolve(call);
    if (fault === "drop-after") response.destroy();
    else if (fault) send(response, fault.status, { error: { code: fault.code, message: "no" } }, fault.headers);
    else send(response, 200, reply ?? {});
  };
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, "127.0.0.1", () => resolve(undefined));
  await promise;
  return Object.assign(service, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      server.closeAllConnections();
      return closed.promise.then(() => undefined);
    },
  });
}

function replyTo(operation: string, service: Pick<FakeService, "jobs" | "cancel" | "bootId">): object {
  switch (operation) {
    case "register":
      return { bootId: service.bootId, session: "session-1", heartbeatSeconds: 0.5, workPollSeconds: 0.1 };
    case "work": {
      const work = service.jobs.shift();
      return { drain: false, ...(work ? { work } : {}) };
    }
    case "heartbeat":
      return { cancel: service.cancel };
    default:
      return {};
  }
}

// eslint-disable-next-line max-params -- what an HTTP answer consists of
function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

export function job(jobId: string, change: Partial<Work> = {}): Work {
  return {
    jobId,
    attempt: 1,
    image: "contoso.azurecr.io/train:1",
    command: ["node", "-e", "0"],
    env: {},
    gpus: 1,
    maxDurationSeconds: 600,
    volumes: [],
    identity: "none",
    ...change,
  };
}
