import { message as amqpMessage } from "rhea";

export type FilterValue = string | number | boolean | null;

/** What rules look at. Absent properties are null, as in Azure's SQL. */
export interface FilteredMessage {
  /** By the names of `sys.` properties, in lower case. */
  readonly system: ReadonlyMap<string, FilterValue>;
  /** Application properties; their names are compared without regard to case in SQL, and exactly in correlation filters. */
  readonly user: ReadonlyMap<string, FilterValue>;
}

interface Decoded {
  readonly message_id?: unknown;
  readonly correlation_id?: unknown;
  readonly to?: unknown;
  readonly reply_to?: unknown;
  readonly subject?: unknown;
  readonly group_id?: unknown;
  readonly reply_to_group_id?: unknown;
  readonly content_type?: unknown;
  readonly application_properties?: Readonly<Record<string, unknown>>;
}

/** Reads an encoded message for the rules of a topic's subscriptions. */
export function filteredMessage(content: Buffer): FilteredMessage {
  const decoded = amqpMessage.decode(content) as Decoded;
  const system = new Map<string, FilterValue>([
    ["messageid", valueOf(decoded.message_id)],
    ["correlationid", valueOf(decoded.correlation_id)],
    ["to", valueOf(decoded.to)],
    ["replyto", valueOf(decoded.reply_to)],
    ["label", valueOf(decoded.subject)],
    ["sessionid", valueOf(decoded.group_id)],
    ["replytosessionid", valueOf(decoded.reply_to_group_id)],
    ["contenttype", valueOf(decoded.content_type)],
  ]);
  const user = new Map<string, FilterValue>();
  for (const [name, value] of Object.entries(decoded.application_properties ?? {})) user.set(name, valueOf(value));
  return { system, user };
}

function valueOf(value: unknown): FilterValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (value instanceof Date) return value.toISOString();
  // A whole number that JavaScript cannot hold comes as its eight bytes.
  if (Buffer.isBuffer(value)) return value.length === 8 ? Number(value.readBigInt64BE()) : value.toString("hex");
  return null;
}
