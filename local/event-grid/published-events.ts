import { randomUUID } from "node:crypto";
import {
  fromCloudEvent,
  fromEventGridSchema,
  type GridEvent,
  type InputSchema,
  isObject,
  type JsonObject,
  valueAt,
} from "./grid-event";

/** Which field of a custom event stands for which of Event Grid's; names of the wire in `inputSchemaMapping`. */
export interface InputMapping {
  readonly id?: Mapped | undefined;
  readonly topic?: Mapped | undefined;
  readonly eventTime?: Mapped | undefined;
  readonly eventType?: Mapped | undefined;
  readonly subject?: Mapped | undefined;
  readonly dataVersion?: Mapped | undefined;
}

export interface Mapped {
  readonly sourceField?: string | undefined;
  readonly defaultValue?: string | undefined;
}

export interface ReceivingTopic {
  readonly id: string;
  readonly inputSchema: InputSchema;
  readonly mapping?: InputMapping | undefined;
}

export interface Published {
  readonly body: Buffer;
  readonly contentType: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly nowMs: number;
}

export type Parsed =
  | { readonly ok: true; readonly events: readonly GridEvent[] }
  | { readonly ok: false; readonly status: 400 | 413; readonly reason: string };

/** The array, and each event in it. */
export const MAX_BYTES = 1024 * 1024;

const bad = (reason: string): Parsed => ({ ok: false, status: 400, reason });
const tooLarge: Parsed = {
  ok: false,
  status: 413,
  reason: "The maximum size (1048576) has been exceeded.",
};

const SCHEMA_NAMES: Readonly<Record<InputSchema, string>> = {
  EventGridSchema: "EventGridEvent",
  CloudEventSchemaV1_0: "CloudEventV10",
  CustomEventSchema: "CustomEvent",
};

/** Reads what a publisher sent, in the schema that the topic takes and in no other. */
export function parsePublished(topic: ReceivingTopic, published: Published): Parsed {
  if (published.body.length > MAX_BYTES) return tooLarge;
  if (topic.inputSchema === "CloudEventSchemaV1_0") return parseCloudEvents(published);
  const list = parseJson(published.body);
  if (!Array.isArray(list)) return mismatch(topic.inputSchema, "Token Expected: StartArray");
  const events: GridEvent[] = [];
  for (const [index, one] of list.entries()) {
    const event =
      topic.inputSchema === "EventGridSchema" ? readGridEvent(topic, one) : readCustomEvent(topic, one, published);
    if (typeof event === "string") return mismatch(topic.inputSchema, `[${index}]: ${event}`);
    events.push(event);
  }
  return { ok: true, events };
}

function mismatch(schema: InputSchema, reason: string): Parsed {
  return bad(
    `This resource is configured to receive event in '${SCHEMA_NAMES[schema]}' schema. The JSON received does not conform to the expected schema. ${reason}.`,
  );
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    // The publisher is told; no JSON text has the value `undefined`.
    return undefined;
  }
}

const isTime = (value: string): boolean => /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));

/** The event, or what is wrong with it. */
function readGridEvent(topic: ReceivingTopic, given: unknown): GridEvent | string {
  if (!isObject(given)) return "Token Expected: StartObject";
  for (const name of ["id", "subject", "eventType", "eventTime"]) {
    const value = given[name];
    if (typeof value !== "string" || value === "") return `'${name}' is a required property of type string`;
  }
  if (!isTime(String(given["eventTime"]))) return "'eventTime' is no time of ISO 8601";
  const { dataVersion = "", metadataVersion = "1", topic: named } = given;
  if (typeof dataVersion !== "string") return "'dataVersion' is a property of type string";
  if (metadataVersion !== null && metadataVersion !== "1") return "'metadataVersion' is 1 or absent";
  if (typeof named === "string" && named !== "" && named.toLowerCase() !== topic.id.toLowerCase())
    return "'topic' is absent or the resource id of this topic";
  return fromEventGridSchema({ ...given, dataVersion, topic: topic.id });
}

function readCustomEvent(
  { id, mapping = {} }: ReceivingTopic,
  given: unknown,
  { nowMs }: Published,
): GridEvent | string {
  if (!isObject(given)) return "Token Expected: StartObject";
  const read = (mapped: Mapped | undefined): string | undefined => {
    const value = mapped?.sourceField === undefined ? undefined : valueAt(given, mapped.sourceField);
    const isPlain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    return isPlain ? String(value) : mapped?.defaultValue;
  };
  const [eventType, subject] = [read(mapping.eventType), read(mapping.subject)];
  if (eventType === undefined) return "no field is mapped to 'eventType', and it has no default value";
  if (subject === undefined) return "no field is mapped to 'subject', and it has no default value";
  const time = read(mapping.eventTime);
  return {
    schema: "CustomEventSchema",
    original: given,
    id: read(mapping.id) ?? randomUUID(),
    topic: read(mapping.topic) ?? id,
    subject,
    eventType,
    eventTime: time !== undefined && isTime(time) ? time : new Date(nowMs).toISOString(),
    dataVersion: read(mapping.dataVersion) ?? "",
    data: given,
  };
}

/** Structured, in a batch, or binary: https://github.com/cloudevents/spec/blob/v1.0/http-protocol-binding.md */
function parseCloudEvents(published: Published): Parsed {
  const type = published.contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const list = cloudEventsOf(type, published);
  if (!list) return mismatch("CloudEventSchemaV1_0", `The content type '${type}' does not go with the body`);
  const events: GridEvent[] = [];
  for (const [index, one] of list.entries()) {
    const problem = problemOfCloudEvent(one);
    if (problem !== undefined) return mismatch("CloudEventSchemaV1_0", `[${index}]: ${problem}`);
    events.push(fromCloudEvent(one as JsonObject, published.nowMs));
  }
  return { ok: true, events };
}

function cloudEventsOf(type: string, published: Published): readonly unknown[] | undefined {
  if (type === "application/cloudevents-batch+json") {
    const list = parseJson(published.body);
    return Array.isArray(list) ? list : undefined;
  }
  if (type === "application/cloudevents+json") return [parseJson(published.body)];
  return published.headers["ce-specversion"] === undefined ? undefined : [binaryEvent(type, published)];
}

function binaryEvent(type: string, { headers, body }: Published): JsonObject {
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith("ce-") && typeof value === "string" ? [[name.slice(3), value]] : [],
  );
  const isJson = /[/+]json$/.test(type);
  const data = isJson ? { data: parseJson(body) } : { data_base64: body.toString("base64") };
  return { ...(Object.fromEntries(attributes) as JsonObject), ...(type ? { datacontenttype: type } : {}), ...data };
}

function problemOfCloudEvent(given: unknown): string | undefined {
  if (!isObject(given)) return "Token Expected: StartObject";
  for (const name of ["id", "source", "type"]) {
    const value = given[name];
    if (typeof value !== "string" || value === "") return `'${name}' is a required attribute of type string`;
  }
  if (given["specversion"] !== "1.0") return "'specversion' is 1.0";
  for (const name of ["subject", "time", "dataschema", "datacontenttype"]) {
    const value = given[name];
    if (value !== undefined && value !== null && typeof value !== "string")
      return `'${name}' is an attribute of type string`;
  }
  if (typeof given["time"] === "string" && !isTime(given["time"])) return "'time' is no time of RFC 3339";
  const misnamed = Object.keys(given).find((name) => !/^[a-z0-9]+$/.test(name) && name !== "data_base64");
  return misnamed === undefined ? undefined : `the attribute name '${misnamed}' has other characters than a-z and 0-9`;
}
