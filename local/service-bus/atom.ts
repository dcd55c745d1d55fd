import type { Entity } from "./broker";
import { durationOf } from "./duration";
import type { RuleOptions } from "./rules";
import { escapeXml } from "./xml";

const schemas = {
  atom: "http://www.w3.org/2005/Atom",
  bus: "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect",
  counts: "http://schemas.microsoft.com/netservices/2011/06/servicebus",
  instance: "http://www.w3.org/2001/XMLSchema-instance",
  types: "http://www.w3.org/2001/XMLSchema",
} as const;

/** What is told of entities beside their options. */
export interface AtomContext {
  /** `https://localhost:1234`, without a slash. */
  readonly origin: string;
  readonly startedAt: number;
  readonly subscriptionCount: (topic: string) => number;
}

type Fields = readonly (readonly [string, string | number | boolean | undefined])[];

export interface AtomEntry {
  readonly path: string;
  readonly content: string;
}

export function entryDocument(entry: AtomEntry, { origin }: AtomContext): string {
  return `<?xml version="1.0" encoding="utf-8"?>${entryElement(entry, origin)}`;
}

export function feedDocument(
  entries: readonly AtomEntry[],
  { origin }: AtomContext,
  links: { self: string; next?: string | undefined },
): string {
  const next = links.next === undefined ? "" : `<link rel="next" href="${escapeXml(links.next)}"/>`;
  const self = `<link rel="self" href="${escapeXml(links.self)}"/>`;
  const all = entries.map((entry) => entryElement(entry, origin)).join("");
  return `<?xml version="1.0" encoding="utf-8"?><feed xmlns="${schemas.atom}"><title type="text">Entities</title><id>${escapeXml(links.self)}</id>${self}${next}${all}</feed>`;
}

export function errorDocument(status: number, detail: string): string {
  return `<Error><Code>${status}</Code><Detail>${escapeXml(detail)}</Detail></Error>`;
}

export function entityEntry(entity: Entity, context: AtomContext): AtomEntry {
  switch (entity.kind) {
    case "queue":
      return { path: entity.options.name, content: description("QueueDescription", queueFields(entity, context)) };
    case "topic":
      return { path: entity.options.name, content: description("TopicDescription", topicFields(entity, context)) };
    case "subscription":
      return {
        path: `${entity.topic}/Subscriptions/${entity.options.name}`,
        content: description("SubscriptionDescription", subscriptionFields(entity, context)),
      };
  }
}

export function ruleEntry(subscriptionPath: string, rule: RuleOptions): AtomEntry {
  const content = `${filterElement(rule.filter)}<Action i:type="EmptyRuleAction"/><Name>${escapeXml(rule.name)}</Name>`;
  return { path: `${subscriptionPath}/Rules/${rule.name}`, content: description("RuleDescription", content) };
}

export function namespaceEntry(startedAt: number): AtomEntry {
  const at = new Date(startedAt).toISOString();
  const fields = elements([
    ["Alias", ""],
    ["CreatedTime", at],
    ["MessagingSKU", "Standard"],
    ["ModifiedTime", at],
    ["Name", "localhost"],
    ["NamespaceType", "Messaging"],
  ]);
  return { path: "$namespaceinfo", content: description("NamespaceInfo", fields) };
}

function entryElement({ path, content }: AtomEntry, origin: string): string {
  const url = escapeXml(`${origin}/${path}?api-version=2021-05`);
  const title = escapeXml(path.slice(path.lastIndexOf("/") + 1));
  return `<entry xmlns="${schemas.atom}"><id>${url}</id><title type="text">${title}</title><link rel="self" href="${url}"/><content type="application/xml">${content}</content></entry>`;
}

function description(name: string, fields: string): string {
  return `<${name} xmlns="${schemas.bus}" xmlns:i="${schemas.instance}">${fields}</${name}>`;
}

function elements(fields: Fields): string {
  return fields
    .map(([name, value]) => (value === undefined ? "" : `<${name}>${escapeXml(String(value))}</${name}>`))
    .join("");
}

type Of<K extends Entity["kind"]> = Extract<Entity, { kind: K }>;

function receivableFields({ options }: Of<"queue" | "subscription">, { origin }: AtomContext): Fields {
  const absolute = (name: string | undefined) => name && `${origin.replace(/^https?:/, "sb:")}/${name}`;
  return [
    ["LockDuration", durationOf(options.lockSeconds ?? 60)],
    ["RequiresSession", options.requiresSession ?? false],
    ["DefaultMessageTimeToLive", durationOf(options.defaultTtlSeconds)],
    ["DeadLetteringOnMessageExpiration", options.deadLetteringOnMessageExpiration ?? false],
    ["MaxDeliveryCount", options.maxDeliveryCount ?? 10],
    ["EnableBatchedOperations", true],
    ["Status", "Active"],
    ["ForwardTo", absolute(options.forwardTo)],
    ["ForwardDeadLetteredMessagesTo", absolute(options.forwardDeadLetteredMessagesTo)],
    ["AutoDeleteOnIdle", durationOf(undefined)],
    ["EntityAvailabilityStatus", "Available"],
  ];
}

function countFields({ queue, deadLetters }: Of<"queue" | "subscription">): string {
  const { active, scheduled } = queue.counts();
  const dead = deadLetters.counts().active;
  return elements([["MessageCount", active + scheduled + dead]]) + countDetails({ active, scheduled, dead });
}

function countDetails({ active, scheduled, dead }: { active: number; scheduled: number; dead: number }): string {
  const details = elements([
    ["d2p1:ActiveMessageCount", active],
    ["d2p1:DeadLetterMessageCount", dead],
    ["d2p1:ScheduledMessageCount", scheduled],
    ["d2p1:TransferMessageCount", 0],
    ["d2p1:TransferDeadLetterMessageCount", 0],
  ]);
  return `<CountDetails xmlns:d2p1="${schemas.counts}">${details}</CountDetails>`;
}

function timeFields({ createdAt }: Entity, { startedAt }: AtomContext): Fields {
  const at = new Date(createdAt || startedAt).toISOString();
  return [
    ["CreatedAt", at],
    ["UpdatedAt", at],
    ["AccessedAt", at],
  ];
}

function duplicateFields(seconds: number | undefined): Fields {
  return [
    ["RequiresDuplicateDetection", (seconds ?? 0) > 0],
    ["DuplicateDetectionHistoryTimeWindow", durationOf(seconds || 600)],
    ["MaxSizeInMegabytes", 1024],
    ["EnablePartitioning", false],
    ["EnableExpress", false],
  ];
}

function queueFields(entity: Of<"queue">, context: AtomContext): string {
  const size = entity.queue.shelf.sizeInBytes() + entity.deadLetters.shelf.sizeInBytes();
  const fields = [
    ...receivableFields(entity, context),
    ...duplicateFields(entity.options.duplicateDetectionSeconds ?? 600),
    ...timeFields(entity, context),
    ["SizeInBytes", size] as const,
  ];
  return elements(fields) + countFields(entity);
}

function subscriptionFields(entity: Of<"subscription">, context: AtomContext): string {
  const fields = [
    ...receivableFields(entity, context),
    ...timeFields(entity, context),
    ["DeadLetteringOnFilterEvaluationExceptions", false] as const,
  ];
  return elements(fields) + countFields(entity);
}

function topicFields(entity: Of<"topic">, context: AtomContext): string {
  const fields = [
    ["DefaultMessageTimeToLive", durationOf(entity.options.defaultTtlSeconds)] as const,
    ...duplicateFields(entity.options.duplicateDetectionSeconds),
    ...timeFields(entity, context),
    ["SupportOrdering", true] as const,
    ["EnableBatchedOperations", true] as const,
    ["Status", "Active"] as const,
    ["SizeInBytes", entity.queue.shelf.sizeInBytes()] as const,
    ["SubscriptionCount", context.subscriptionCount(entity.options.name)] as const,
    ["AutoDeleteOnIdle", durationOf(undefined)] as const,
    ["EntityAvailabilityStatus", "Available"] as const,
  ];
  return elements(fields) + countDetails({ active: 0, dead: 0, scheduled: entity.queue.counts().scheduled });
}

const correlationElements = [
  ["CorrelationId", "correlationId"],
  ["MessageId", "messageId"],
  ["To", "to"],
  ["ReplyTo", "replyTo"],
  ["Label", "label"],
  ["SessionId", "sessionId"],
  ["ReplyToSessionId", "replyToSessionId"],
  ["ContentType", "contentType"],
] as const;

function filterElement(filter: RuleOptions["filter"]): string {
  if (filter.kind === "sql") {
    return `<Filter i:type="SqlFilter"><SqlExpression>${escapeXml(filter.expression)}</SqlExpression><CompatibilityLevel>20</CompatibilityLevel></Filter>`;
  }
  const fields = elements(correlationElements.map(([element, name]) => [element, filter[name]]));
  const properties = Object.entries(filter.properties ?? {}).map(([name, value]) => {
    const type = { string: "string", boolean: "boolean", number: Number.isInteger(value) ? "int" : "double" }[
      typeof value as "string" | "boolean" | "number"
    ];
    return `<KeyValueOfstringanyType><Key>${escapeXml(name)}</Key><Value xmlns:d6p1="${schemas.types}" i:type="d6p1:${type}">${escapeXml(String(value))}</Value></KeyValueOfstringanyType>`;
  });
  const map = properties.length === 0 ? "" : `<Properties>${properties.join("")}</Properties>`;
  return `<Filter i:type="CorrelationFilter">${fields}${map}</Filter>`;
}
