import type { ServiceBusClient, ServiceBusReceivedMessage, ServiceBusReceiver } from "@azure/service-bus";
import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBusConfig } from "./host-json";
import type { Log } from "./log";

/** Receives messages of one queue or subscription in batches of at most that size. */
export interface Pull {
  readonly client: ServiceBusClient;
  readonly entity: readonly [string] | readonly [string, string];
  readonly config: ServiceBusConfig;
  readonly batchSize: number;
  readonly signal: AbortSignal;
  readonly log: Log;
  handle(receiver: ServiceBusReceiver, messages: ServiceBusReceivedMessage[]): Promise<void>;
}

const PAUSE_AFTER_ERROR_MS = 1_000;

/** After an error that the client has given up on: says it once and waits before the next try. */
export async function restAfter(error: unknown, { log, signal }: Pull): Promise<void> {
  if (signal.aborted) return;
  log(error instanceof Error ? error.message : String(error));
  await pause(PAUSE_AFTER_ERROR_MS, undefined, { signal }).catch(() => undefined);
}

export function receiverOptions({ maxAutoLockRenewalMs }: ServiceBusConfig) {
  return {
    receiveMode: "peekLock" as const,
    // Bodies go to the function as they came: its library parses them.
    skipParsingBodyAsJson: true,
    maxAutoLockRenewalDurationInMs: maxAutoLockRenewalMs,
  };
}
