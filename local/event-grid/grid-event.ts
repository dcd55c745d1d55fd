export type JsonObject = Readonly<Record<string, unknown>>;

/** How a topic takes events. */
export type InputSchema = "EventGridSchema" | "CloudEventSchemaV1_0" | "CustomEventSchema";

/** How a subscription wants them. */
export type DeliverySchema = "EventGridSchema" | "CloudEventSchemaV1_0" | "CustomInputSchema";

/** An event that was taken: as it came, and what of it Event Grid itself reads, whatever its schema. */
export interface GridEvent {
  readonly schema: InputSchema;
  readonly original: JsonObject;
  readonly id: string;
  /** The topic's resource id; of a CloudEvent its `source`. */
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  /** Empty for CloudEvents, which have none. */
  readonly dataVersion: string;
  readonly data: unknown;
}

/** https://learn.microsoft.com/azure/event-grid/event-schema-compatibility */
const COMPATIBLE: Readonly<Record<InputSchema, readonly DeliverySchema[]>> = {
  EventGridSchema: ["EventGridSchema", "CloudEventSchemaV1_0"],
  CloudEventSchemaV1_0: ["CloudEventSchemaV1_0"],
  CustomEventSchema: ["EventGridSchema", "CloudEventSchemaV1_0", "CustomInputSchema"],
};

export function isDeliverable(input: InputSchema, output: DeliverySchema): boolean {
  return COMPATIBLE[input].includes(output);
}

/** The event as the subscription's endpoint receives it. */
export function toDelivered(event: GridEvent, schema: DeliverySchema): JsonObject {
  switch (schema) {
    case "EventGridSchema":
      return toEventGridSchema(event);
    case "CloudEventSchemaV1_0":
      return event.schema === "CloudEventSchemaV1_0" ? event.original : toCloudEvent(event);
    case "CustomInputSchema":
      return event.original;
  }
}

export function toEventGridSchema({
  id,
  topic,
  subject,
  eventType,
  eventTime,
  dataVersion,
  data,
}: GridEvent): JsonObject {
  return { id, topic, subject, eventType, eventTime, data, dataVersion, metadataVersion: "1" };
}

function toCloudEvent({ id, topic, subject, eventType, eventTime, data }: GridEvent): JsonObject {
  return { id, source: topic, specversion: "1.0", type: eventType, subject, time: eventTime, data };
}

/** An event of an Azure service: it comes in Event Grid's schema. */
export function fromEventGridSchema(event: JsonObject): GridEvent {
  return {
    schema: "EventGridSchema",
    original: event,
    id: textOf(event["id"]),
    topic: textOf(event["topic"]),
    subject: textOf(event["subject"]),
    eventType: textOf(event["eventType"]),
    eventTime: textOf(event["eventTime"]),
    dataVersion: textOf(event["dataVersion"]),
    data: event["data"],
  };
}

export function fromCloudEvent(event: JsonObject, nowMs: number): GridEvent {
  return {
    schema: "CloudEventSchemaV1_0",
    original: event,
    id: textOf(event["id"]),
    topic: textOf(event["source"]),
    subject: textOf(event["subject"]),
    eventType: textOf(event["type"]),
    eventTime: typeof event["time"] === "string" ? event["time"] : new Date(nowMs).toISOString(),
    dataVersion: "",
    data: event["data"],
  };
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** Member of an object whatever the case of its name: filters and mappings do not care. */
export function memberOf(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, name)) return value[name];
  const found = Object.keys(value).find((key) => key.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : value[found];
}

/** `data.vm.size` of an event's data, or of whatever object is given. A key that itself holds a dot cannot be named. */
export function valueAt(root: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => memberOf(value, name), root);
}
