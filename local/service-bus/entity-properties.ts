import { secondsOf } from "./duration";
import type { QueueOptions, SubscriptionOptions, TopicOptions } from "./entity-options";

/** A property that is unknown or out of range; the message names it and says what is allowed. */
export class PropertyError extends Error {
  override readonly name = "PropertyError";
}

export type RawProperties = Readonly<Record<string, unknown>>;

/** Where properties were found, for the messages: `Queues[0] 'jobs'`. */
export interface Place {
  readonly where: string;
  readonly name: string;
}

type Reader = (value: unknown, place: string) => unknown;

const common: Readonly<Record<string, Reader>> = {
  // https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas, and the emulator's own lower limits
  LockDuration: duration("PT5S", "PT5M"),
  MaxDeliveryCount: wholeNumber(1, 2000),
  DefaultMessageTimeToLive: duration("PT1S", "P10675199DT2H48M5.4775807S"),
  DeadLetteringOnMessageExpiration: flag,
  RequiresSession: flag,
  ForwardTo: text,
  ForwardDeadLetteredMessagesTo: text,
};

const duplicates: Readonly<Record<string, Reader>> = {
  RequiresDuplicateDetection: flag,
  DuplicateDetectionHistoryTimeWindow: duration("PT20S", "P7D"),
};

const topicReaders: Readonly<Record<string, Reader>> = {
  DefaultMessageTimeToLive: duration("PT1S", "P10675199DT2H48M5.4775807S"),
  ...duplicates,
};

export function queueOptionsOf(properties: RawProperties, place: Place): QueueOptions {
  const read = readAll(properties, { ...common, ...duplicates }, place);
  return { name: entityName(place), ...receivableOf(read), duplicateDetectionSeconds: windowOf(read) };
}

export function subscriptionOptionsOf(properties: RawProperties, place: Place): SubscriptionOptions {
  return { name: subscriptionName(place), ...receivableOf(readAll(properties, common, place)) };
}

export function topicOptionsOf(properties: RawProperties, place: Place): TopicOptions {
  const read = readAll(properties, topicReaders, place);
  return {
    name: entityName(place),
    defaultTtlSeconds: finite(read["DefaultMessageTimeToLive"]),
    duplicateDetectionSeconds: windowOf(read),
  };
}

/** Refuses every key that is not among the allowed ones. */
export function expectKeys(object: RawProperties, allowed: readonly string[], where: string): void {
  for (const key of Object.keys(object)) {
    if (!allowed.includes(key))
      throw new PropertyError(`${where}: the property ${key} is unknown; allowed are ${allowed.join(", ")}.`);
  }
}

export function expectObject(value: unknown, where: string): RawProperties {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new PropertyError(`${where} must be an object.`);
  return value as RawProperties;
}

export function expectText(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "") throw new PropertyError(`${where} must be a text that is not empty.`);
  return value;
}

function readAll(properties: RawProperties, readers: Readonly<Record<string, Reader>>, place: Place) {
  const where = `${place.where} '${place.name}'`;
  expectKeys(properties, Object.keys(readers), where);
  const entries = Object.entries(properties).map(([name, value]) => [
    name,
    readers[name]?.(value, `${where}: ${name}`),
  ]);
  return Object.fromEntries(entries) as Readonly<Record<string, unknown>>;
}

function receivableOf(read: Readonly<Record<string, unknown>>) {
  return {
    lockSeconds: finite(read["LockDuration"]),
    maxDeliveryCount: finite(read["MaxDeliveryCount"]),
    defaultTtlSeconds: finite(read["DefaultMessageTimeToLive"]),
    deadLetteringOnMessageExpiration: read["DeadLetteringOnMessageExpiration"] === true,
    requiresSession: read["RequiresSession"] === true,
    forwardTo: read["ForwardTo"] as string | undefined,
    forwardDeadLetteredMessagesTo: read["ForwardDeadLetteredMessagesTo"] as string | undefined,
  };
}

function windowOf(read: Readonly<Record<string, unknown>>): number {
  if (read["RequiresDuplicateDetection"] !== true) return 0;
  return finite(read["DuplicateDetectionHistoryTimeWindow"]) ?? 600;
}

function finite(value: unknown): number | undefined {
  return typeof value === "number" && value !== Infinity ? value : undefined;
}

function entityName({ where, name }: Place): string {
  if (name.length > 260 || !/^[a-z0-9](?:[\w./-]*[\w])?$/i.test(name) || /\/subscriptions\//i.test(name))
    throw new PropertyError(
      `${where}: '${name}' is no name of an entity; allowed are up to 260 letters, digits, '.', '-', '_' and '/'.`,
    );
  return name;
}

function subscriptionName({ where, name }: Place): string {
  if (name.length > 50 || !/^[a-z0-9](?:[\w.-]*[\w])?$/i.test(name))
    throw new PropertyError(
      `${where}: '${name}' is no name of a subscription; allowed are up to 50 letters, digits, '.', '-' and '_'.`,
    );
  return name;
}

function flag(value: unknown, place: string): boolean {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw new PropertyError(`${place} is ${JSON.stringify(value)}; allowed are true and false.`);
}

function text(value: unknown, place: string): string | undefined {
  if (value === "" || value === undefined) return undefined;
  if (typeof value !== "string")
    throw new PropertyError(`${place} is ${JSON.stringify(value)}; allowed is the name of a queue or topic.`);
  return value.replace(/^[a-z]+:\/\/[^/]*\//i, "");
}

function wholeNumber(least: number, most: number): Reader {
  return (value, place) => {
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= least && number <= most) return number;
    throw new PropertyError(
      `${place} is ${JSON.stringify(value)}; allowed are whole numbers from ${least} to ${most}.`,
    );
  };
}

function duration(least: string, most: string): Reader {
  return (value, place) => {
    const seconds = typeof value === "string" ? secondsOf(value) : undefined;
    const inRange =
      seconds !== undefined && seconds >= (secondsOf(least) ?? 0) && seconds <= (secondsOf(most) ?? Infinity);
    if (inRange) return seconds;
    throw new PropertyError(
      `${place} is ${JSON.stringify(value)}; allowed are ISO 8601 durations from ${least} to ${most}.`,
    );
  };
}
