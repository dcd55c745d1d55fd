/** Values of application properties that a receiver may set while it abandons, defers or dead-letters a message. */
export type PropertyValue = string | number | boolean | Date;
export type Properties = Readonly<Record<string, PropertyValue>>;

/** `scheduled` messages wait for their time, `deferred` ones for somebody who asks by sequence number. */
export type MessageState = "active" | "deferred" | "scheduled";

/** One message at rest. Everything in it survives a restart; its lock does not, as in Azure, where locks are volatile too. */
export interface StoredMessage {
  readonly sequence: number;
  /** The sequence number that the message had where it was first enqueued; a dead letter gets a new one. */
  readonly enqueuedSequence: number;
  readonly messageId: string;
  readonly enqueuedAt: number;
  /** Opaque here: the encoded AMQP message as the sender wrote it. */
  readonly content: Buffer;
  readonly sessionId: string | undefined;
  /** When its time to live has passed; undefined when it never does. */
  readonly expiresAt: number | undefined;
  state: MessageState;
  /** When a scheduled message becomes active. */
  dueAt: number | undefined;
  /** Counted when a message is handed out, so that a crash of the broker cannot hide a delivery. */
  deliveries: number;
  properties: Properties;
  /** The queue from which a dead letter came. */
  deadLetterSource: string | undefined;
}

/** What must reach the disk before a client may be told that it is done. */
export type Change =
  | { readonly kind: "put"; readonly queue: string; readonly message: StoredMessage }
  | { readonly kind: "update"; readonly queue: string; readonly message: StoredMessage }
  | { readonly kind: "remove"; readonly queue: string; readonly sequence: number }
  | { readonly kind: "remember"; readonly queue: string; readonly messageId: string; readonly until: number }
  | { readonly kind: "forget"; readonly queue: string; readonly until: number }
  | { readonly kind: "session-state"; readonly queue: string; readonly session: SessionState }
  /** The queue is gone with all that is in it. */
  | { readonly kind: "drop"; readonly queue: string }
  | { readonly kind: "define"; readonly queue: string; readonly entity: EntityDefinition }
  | { readonly kind: "undefine"; readonly queue: string };

/** What an application keeps beside the messages of a session; undefined: nothing any more. */
export interface SessionState {
  readonly sessionId: string;
  readonly state: Buffer | undefined;
  readonly updatedAt: number;
}

/** An entity that was made at run time, or the rules of a subscription, as the broker writes and reads them. */
export interface EntityDefinition {
  readonly kind: string;
  readonly json: string;
}

/** What a journal brings back after a restart. */
export interface QueueSnapshot {
  readonly nextSequence: number;
  readonly messages: readonly StoredMessage[];
  readonly remembered: readonly { readonly messageId: string; readonly until: number }[];
  readonly sessions?: readonly SessionState[] | undefined;
}
