import type { MessageQueue } from "./message-queue";
import type { AmqpReply } from "./request-links";
import type { ServerParts } from "./server-parts";

export type Body = Readonly<Record<string, unknown>>;

interface Operation {
  readonly right: "Send" | "Listen";
  readonly run: (queue: MessageQueue, body: Body, parts: ServerParts) => AmqpReply | Promise<AmqpReply>;
}

/** Operations of `$management` by their names, without the prefix `com.microsoft:`. */
export type Operations = Readonly<Record<string, Operation>>;

export function ok(body?: Body): AmqpReply {
  return { status: 200, description: "OK", body };
}

export function badRequest(description: string): AmqpReply {
  return { status: 400, description, errorCondition: "com.microsoft:argument-error" };
}

export function sessionIdOf(body: Body): string | undefined {
  const id = body["session-id"];
  return typeof id === "string" ? id : undefined;
}

export const sessionLost: AmqpReply = {
  status: 410,
  description: "The session lock has expired on the MessageSession. Accept a new MessageSession.",
  errorCondition: "com.microsoft:session-lock-lost",
};
