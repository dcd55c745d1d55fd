import type { Settlement } from "./queue-options";
import type { Properties, PropertyValue } from "./stored-message";

/** The outcomes that a receiver sends, as rhea unwraps them. */
interface RemoteOutcome {
  readonly constructor: { readonly composite_type?: string };
  readonly undeliverable_here?: boolean | null;
  readonly message_annotations?: Readonly<Record<string, unknown>> | null;
  readonly error?: {
    readonly condition?: string;
    readonly description?: string;
    readonly info?: Readonly<Record<string, unknown>>;
  } | null;
}

/** Service Bus gives the AMQP outcomes its own meaning: `modified` defers or abandons, `rejected` dead-letters. */
export function settlementOf(remoteState: unknown): Settlement {
  const outcome = remoteState as RemoteOutcome;
  switch (outcome.constructor.composite_type) {
    case "accepted":
      return { kind: "complete" };
    case "rejected":
      return { kind: "dead-letter", properties: deadLetterProperties(outcome) };
    case "modified": {
      const properties = propertiesOf(outcome.message_annotations);
      return { kind: outcome.undeliverable_here ? "defer" : "abandon", properties };
    }
    case "released":
    case undefined:
    default:
      return { kind: "abandon" };
  }
}

/** Values that came over the wire, as application properties can hold them. */
export function propertiesOf(map: Readonly<Record<string, unknown>> | null | undefined): Properties {
  return Object.fromEntries(Object.entries(map ?? {}).flatMap(([name, value]) => entryOf(name, value)));
}

function deadLetterProperties({ error }: RemoteOutcome): Properties {
  const given = propertiesOf(error?.info);
  if (error?.condition === "com.microsoft:dead-letter" || error === null || error === undefined) return given;
  return { DeadLetterReason: error.condition ?? "", DeadLetterErrorDescription: error.description ?? "", ...given };
}

function entryOf(name: string, value: unknown): [string, PropertyValue][] {
  if (value === null || value === undefined) return [];
  // A whole number that JavaScript cannot hold comes as its eight bytes.
  if (Buffer.isBuffer(value) && value.length === 8) return [[name, Number(value.readBigInt64BE())]];
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return [[name, value]];
  return [[name, value instanceof Date ? value : JSON.stringify(value)]];
}
