import type { Broker } from "./broker";
import type { Dispatcher } from "./dispatcher";
import type { FaultGate } from "./fault-gate";
import type { Journal } from "./journal";
import type { MessageQueue } from "./message-queue";
import type { EntraAccess } from "./entra-access";
import type { NamedKey } from "./sas-token";

/** What the links of all connections work with. */
export interface ServerParts {
  readonly broker: Broker;
  readonly journal: Journal;
  readonly faults: FaultGate;
  readonly keys: readonly NamedKey[];
  readonly entra?: EntraAccess | undefined;
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly dispatcherOf: (queue: MessageQueue) => Dispatcher;
  /** After this nothing may be recorded any more: calls that a fault rule held have to give up. */
  readonly isClosed: () => boolean;
}

/** Azure Service Bus Standard takes messages of 256 KB. */
export const maxMessageBytes = 256 * 1024;

/** The name in fault rules: `send jobs`, `deliver jobs/$deadletterqueue`. */
export function operationOn(verb: "send" | "deliver" | "settle", queue: MessageQueue): string {
  return `${verb} ${queue.name}`;
}
