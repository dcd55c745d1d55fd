import { randomUUID } from "node:crypto";
import { message as amqpMessage, types, type Typed } from "rhea";
import type { Properties, StoredMessage } from "./stored-message";

/** Section codes of AMQP 1.0, part 3.2. */
const header = 0x70;
const messageAnnotations = 0x72;
const properties = 0x73;
const applicationProperties = 0x74;
const data = 0x75;
/** Places of fields in their sections. */
const ttlField = 2;
const groupIdField = 10;
const longestTtlMs = 0xffffffff;

/** A transfer of this format carries many messages, each in a data section of its own. */
export const batchFormat = 0x80013700;

interface Section {
  readonly code: number;
  readonly bytes: Buffer;
}

export interface IncomingMessage {
  readonly messageId: string;
  readonly content: Buffer;
  readonly dueAt: number | undefined;
  readonly sessionId: string | undefined;
  readonly ttlMs: number | undefined;
}

/** The messages of one transfer. Throws a RangeError or rhea's TypeError when the bytes are no AMQP message. */
export function messagesOf(payload: Buffer, format: number): IncomingMessage[] {
  if (format !== batchFormat) return [incomingMessage(payload)];
  const parts = sectionsOf(payload).filter(({ code }) => code === data);
  return parts.map(({ bytes }) => incomingMessage(valueOf(bytes).value as Buffer));
}

/** What a receiver is told about a delivery, beside what the sender wrote. */
export interface DeliveryFacts {
  readonly lockedUntil?: number | undefined;
}

const stateCodes = { active: 0, deferred: 1, scheduled: 2 } as const;

/** The message as it is transferred: the sender's sections as they came, header and annotations renewed, properties merged. */
export function encodeMessage(message: StoredMessage, facts: DeliveryFacts = {}): Buffer {
  const sections = sectionsOf(message.content);
  const sent = (code: number) => sections.find((section) => section.code === code)?.bytes;
  const [ownHeader, ownAnnotations, ownProperties] = [
    sent(header),
    sent(messageAnnotations),
    sent(applicationProperties),
  ];
  const fields = {
    ...(ownHeader && headerOf(ownHeader)),
    durable: true,
    delivery_count: Math.max(0, message.deliveries - 1),
    ...(message.expiresAt !== undefined && { ttl: Math.min(message.expiresAt - message.enqueuedAt, longestTtlMs) }),
  };
  const annotations = annotationsOf(message, facts, ownAnnotations ? decodedAnnotations(ownAnnotations) : {});
  const changed = Object.keys(message.properties).length > 0;
  const merged = changed ? withProperties(ownProperties && valueOf(ownProperties), message.properties) : ownProperties;
  return Buffer.concat([
    encodeSections(fields, annotations),
    sent(properties) ?? nothing,
    merged ?? nothing,
    ...sections.filter(({ code }) => code > applicationProperties).map(({ bytes }) => bytes),
  ]);
}

const nothing = Buffer.alloc(0);

function incomingMessage(payload: Buffer): IncomingMessage {
  // The payload is a slice of the socket's buffer, which is used again.
  const content = Buffer.from(payload);
  const sections = sectionsOf(content);
  const annotations = sections.find(({ code }) => code === messageAnnotations);
  const given = sections.find(({ code }) => code === properties);
  const fields = given && fieldsOf(given.bytes);
  const messageId = fields && messageIdOf(fields);
  const facts = {
    dueAt: annotations && dueTimeOf(annotations.bytes),
    sessionId: fields && textOf(fields[groupIdField]),
    ttlMs: ttlOf(sections.find(({ code }) => code === header)),
  };
  if (messageId !== undefined) return { messageId, content, ...facts };
  // Clients settle by message id, so that a message without one gets one, as from Azure.
  const assigned = randomUUID().replaceAll("-", "");
  return { messageId: assigned, content: withMessageId(sections, assigned), ...facts };
}

type Fields = readonly (Typed | undefined)[];

function fieldsOf(bytes: Buffer): Fields {
  const fields: unknown = valueOf(bytes).value;
  if (!Array.isArray(fields)) throw new RangeError("the section is no list");
  return fields as Fields;
}

function textOf(field: Typed | undefined): string | undefined {
  const text: unknown = field?.value;
  return typeof text === "string" ? text : undefined;
}

function ttlOf(section: Section | undefined): number | undefined {
  const ttl: unknown = section && fieldsOf(section.bytes)[ttlField]?.value;
  return typeof ttl === "number" && ttl > 0 ? ttl : undefined;
}

function messageIdOf(fields: Fields): string | undefined {
  const id: unknown = fields[0]?.value;
  if (Buffer.isBuffer(id)) return id.toString("hex");
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}

function dueTimeOf(bytes: Buffer): number | undefined {
  const at: unknown = decodedAnnotations(bytes)["x-opt-scheduled-enqueue-time"];
  if (at instanceof Date) return at.getTime();
  return typeof at === "number" ? at : undefined;
}

function decodedAnnotations(bytes: Buffer): Record<string, unknown> {
  return (amqpMessage.decode(bytes) as { message_annotations?: Record<string, unknown> }).message_annotations ?? {};
}

function withMessageId(sections: readonly Section[], messageId: string): Buffer {
  const given = sections.find(({ code }) => code === properties);
  const fields = given ? (fieldsOf(given.bytes) as Typed[]) : [];
  const section = write(
    types.described(
      types.wrap_ulong(properties),
      types.wrap_list([types.wrap_string(messageId), ...fields.slice(1)]),
    ) as Typed,
  );
  const before = sections.filter(({ code }) => code < properties).map(({ bytes }) => bytes);
  const after = sections.filter(({ code }) => code > properties).map(({ bytes }) => bytes);
  return Buffer.concat([...before, section, ...after]);
}

function headerOf(bytes: Buffer): Record<string, unknown> {
  const { priority, ttl } = amqpMessage.decode(bytes) as { priority?: number; ttl?: number };
  return { priority, ttl };
}

function annotationsOf(
  message: StoredMessage,
  facts: DeliveryFacts,
  own: Record<string, unknown>,
): Record<string, unknown> {
  return {
    ...own,
    "x-opt-sequence-number": types.wrap_long(message.sequence),
    "x-opt-enqueue-sequence-number": types.wrap_long(message.enqueuedSequence),
    "x-opt-enqueued-time": types.wrap_timestamp(message.enqueuedAt),
    "x-opt-message-state": types.wrap_int(stateCodes[message.state]),
    ...(facts.lockedUntil !== undefined && { "x-opt-locked-until": types.wrap_timestamp(facts.lockedUntil) }),
    ...(message.deadLetterSource !== undefined && { "x-opt-deadletter-source": message.deadLetterSource }),
  };
}

/** Keeps the types of the values that stay: rhea's own decoder would make every whole number the same. */
function withProperties(section: Typed | undefined, changed: Properties): Buffer {
  const given = (section?.value ?? []) as Typed[];
  const items: Typed[] = [];
  for (let at = 0; at + 1 < given.length; at += 2) {
    const [name, value] = [given[at], given[at + 1]];
    if (name && value && !Object.hasOwn(changed, String(name.value))) items.push(name, value);
  }
  for (const [name, value] of Object.entries(changed)) items.push(types.wrap_string(name), types.wrap(value));
  // A Map32 takes the list of its keys and values in turn; rhea's typings only know the wrapper for plain objects.
  const map = types.wrap_map({});
  map.value = items;
  return write(types.described(types.wrap_ulong(applicationProperties), map) as Typed);
}

function encodeSections(headerFields: Record<string, unknown>, annotations: Record<string, unknown>): Buffer {
  const encoded = amqpMessage.encode({ ...headerFields, message_annotations: annotations, body: undefined });
  // rhea always writes a body: here a null value section after the two that are wanted.
  const wanted = sectionsOf(encoded).filter(({ code }) => code === header || code === messageAnnotations);
  return Buffer.concat(wanted.map(({ bytes }) => bytes));
}

function valueOf(bytes: Buffer): Typed {
  return new (types as unknown as RheaCodec).Reader(bytes).read();
}

function write(typed: Typed): Buffer {
  const writer = new (types as unknown as RheaCodec).Writer();
  writer.write(typed);
  return writer.toBuffer();
}

/** Exists in rhea 3.0.5, but its typings declare the classes outside of `types`. */
interface RheaCodec {
  readonly Reader: new (bytes: Buffer) => { read(): Typed };
  readonly Writer: new () => { write(typed: Typed): void; toBuffer(): Buffer };
}

/** Finds the sections of a message without decoding them. */
export function sectionsOf(content: Buffer): Section[] {
  const sections: Section[] = [];
  let start = 0;
  while (start < content.length) {
    const descriptor = start + 1;
    if (content[start] !== 0) throw new RangeError("not an AMQP section");
    const afterDescriptor = endOfValue(content, descriptor);
    const code = codeOf(content, descriptor);
    const end = endOfValue(content, afterDescriptor);
    if (end > content.length) throw new RangeError("the AMQP message is cut off");
    sections.push({ code, bytes: content.subarray(start, end) });
    start = end;
  }
  return sections;
}

function codeOf(content: Buffer, at: number): number {
  if (content[at] === 0x53) return content.readUInt8(at + 1);
  if (content[at] === 0x80) return Number(content.readBigUInt64BE(at + 1));
  throw new RangeError("AMQP sections must have a numeric descriptor");
}

/** The high half of a type code says how long its value is. */
function endOfValue(content: Buffer, at: number): number {
  const category = content.readUInt8(at) >> 4;
  const value = at + 1;
  switch (category) {
    case 0x4:
      return value;
    case 0x5:
    case 0x6:
    case 0x7:
    case 0x8:
    case 0x9:
      return value + (1 << (category - 5));
    case 0xa:
    case 0xc:
    case 0xe:
      return value + 1 + content.readUInt8(value);
    case 0xb:
    case 0xd:
    case 0xf:
      return value + 4 + content.readUInt32BE(value);
    default:
      throw new RangeError("unknown AMQP type");
  }
}
