import { randomUUID } from "node:crypto";
import { DROPPED, type WireReply, type WireRequest } from "../../http/wire";
import { ArmError } from "../arm-error";
import type { Caller } from "../resource-events";

export type InternalHandler = (request: WireRequest, caller: Caller) => Promise<WireReply | typeof DROPPED>;

export interface InternalCall {
  readonly method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE";
  readonly path: string;
  readonly apiVersion: string;
  readonly body?: unknown;
  readonly caller: Caller;
  readonly correlationId: string;
  /** Where the caller follows an operation; nobody does by default. */
  readonly host?: string;
}

/** Calls that ARM makes to its own providers in somebody's name. They take the way of any request but for the token. */
export class InternalCalls {
  private readonly connected = Promise.withResolvers<InternalHandler>();

  connect(handler: InternalHandler): void {
    this.connected.resolve(handler);
  }

  /** Waits until the routes are there: after a restart deployments go on before anybody can call. */
  async send({
    method,
    path,
    apiVersion,
    body,
    caller,
    correlationId,
    host = "localhost",
  }: InternalCall): Promise<WireReply> {
    const handler = await this.connected.promise;
    const headers = {
      host,
      "x-ms-correlation-request-id": correlationId,
      "x-ms-client-request-id": randomUUID(),
    };
    const request = {
      method,
      path,
      query: new URLSearchParams({ "api-version": apiVersion }),
      headers,
      body: body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)),
    };
    const reply = await handler(request, caller);
    // A provider that breaks the connection off: ARM tells the deployment that it failed.
    return reply === DROPPED ? NO_ANSWER : reply;
  }
}

const NO_ANSWER = new ArmError(502, {
  code: "BadGateway",
  message: "The resource provider did not answer the request.",
}).toReply();
