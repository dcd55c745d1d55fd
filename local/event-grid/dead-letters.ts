import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "./clock";
import type { PendingDelivery } from "./delivery-store";
import type { DeadLetterTarget, EventSubscription } from "./event-subscription";
import { type JsonObject, toDelivered, toEventGridSchema } from "./grid-event";
import { DEAD_LETTER_DELAY_MS, DEAD_LETTER_GIVE_UP_MS, DEAD_LETTER_RETRY_MS } from "./retry-policy";

/** `missing`: there is no such container, or the identity may not write; the events are lost, as in Azure. */
export type DeadLetterWrite = "written" | "missing" | "unavailable";

export interface DeadLetterBlob {
  readonly target: DeadLetterTarget;
  readonly blobName: string;
  readonly content: string;
}

export interface DeadLettersOptions {
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly speed: number;
  readonly write: (blob: DeadLetterBlob) => Promise<DeadLetterWrite>;
  readonly onEnd: (subscription: string, end: "deadLettered" | "dropped", events: number) => void;
  readonly newId: () => string;
  readonly log: (line: string) => void;
}

const MAX_EVENTS_PER_BLOB = 500;

/** Events that wait to be written to their container: five minutes, so that one blob holds many. */
export class DeadLetters {
  private cancel: (() => void) | undefined;
  private writing: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly options: DeadLettersOptions) {
    options.database.exec(`
      CREATE TABLE IF NOT EXISTS deadLetters (
        id INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL,
        content TEXT NOT NULL, dueAt INTEGER NOT NULL, giveUpAt INTEGER NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS deadLettersDue ON deadLetters (dueAt);`);
  }

  add(subscription: EventSubscription, target: DeadLetterTarget, content: JsonObject): void {
    const { database, clock, speed } = this.options;
    const now = clock.now();
    database
      .prepare(
        "INSERT INTO deadLetters (subscription, name, target, content, dueAt, giveUpAt) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(
        ...[subscription.id.toLowerCase(), subscription.name, JSON.stringify(target), JSON.stringify(content)],
        ...[Math.ceil(now + DEAD_LETTER_DELAY_MS / speed), Math.ceil(now + DEAD_LETTER_GIVE_UP_MS / speed)],
      );
  }

  waiting(): number {
    return Number(this.options.database.prepare("SELECT count(*) AS n FROM deadLetters").get()?.["n"]);
  }

  /** Writes what is due, and sees to it that the rest will be. */
  pump(): void {
    if (this.closed || this.writing) return;
    this.cancel?.();
    this.cancel = undefined;
    const next = this.options.database.prepare("SELECT min(dueAt) AS dueAt FROM deadLetters").get()?.["dueAt"];
    if (typeof next !== "number") return;
    const { clock } = this.options;
    if (next > clock.now()) {
      this.cancel = clock.after(next - clock.now(), () => this.pump());
      return;
    }
    this.writing = this.writeDue(clock.now()).finally(() => {
      this.writing = undefined;
      this.pump();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancel?.();
    await this.writing;
  }

  private async writeDue(now: number): Promise<void> {
    const { database, log } = this.options;
    const [first] = database
      .prepare("SELECT subscription, name, target FROM deadLetters WHERE dueAt <= ? LIMIT 1")
      .all(now);
    if (!first) return;
    const [subscription, target] = [String(first["subscription"]), String(first["target"])];
    const rows = database
      .prepare(
        "SELECT id, content, giveUpAt FROM deadLetters WHERE subscription = ? AND target = ? AND dueAt <= ? LIMIT ?",
      )
      .all(...[subscription, target, now, MAX_EVENTS_PER_BLOB]);
    const content = `[${rows.map((row) => String(row["content"])).join(",")}]`;
    const blobName = this.blobName(String(first["name"]), now);
    const written = await this.options
      .write({ target: JSON.parse(target) as DeadLetterTarget, blobName, content }) // written by `add`
      .catch((error: unknown) => {
        log(`event grid: dead letters of ${String(first["name"])} were not written: ${String(error)}`);
        return "unavailable" as const;
      });
    this.settle(subscription, rows, written);
  }

  private settle(
    subscription: string,
    rows: readonly Readonly<Record<string, unknown>>[],
    written: DeadLetterWrite,
  ): void {
    const { database, clock, speed, onEnd } = this.options;
    const remove = database.prepare("DELETE FROM deadLetters WHERE id = ?");
    const later = database.prepare("UPDATE deadLetters SET dueAt = ? WHERE id = ?");
    let [dropped, deadLettered] = [0, 0];
    for (const { id, giveUpAt } of rows) {
      const isOver = written === "missing" || (written === "unavailable" && Number(giveUpAt) <= clock.now());
      if (isOver) dropped += 1;
      else if (written === "written") deadLettered += 1;
      if (isOver || written === "written") remove.run(Number(id));
      else later.run(Math.ceil(clock.now() + DEAD_LETTER_RETRY_MS / speed), Number(id));
    }
    if (dropped > 0) onEnd(subscription, "dropped", dropped);
    if (deadLettered > 0) onEnd(subscription, "deadLettered", deadLettered);
  }

  /** `MY-SUBSCRIPTION/2019/8/8/5/<guid>.json`: upper case, date and hour in UTC without padding. */
  private blobName(name: string, nowMs: number): string {
    const now = new Date(nowMs);
    const time = [now.getUTCFullYear(), now.getUTCMonth() + 1, now.getUTCDate(), now.getUTCHours()].join("/");
    return `${name.toUpperCase()}/${time}/${this.options.newId()}.json`;
  }
}

export interface Death {
  readonly reason: string;
  readonly attempts: number;
  readonly outcome: string;
  readonly lastAttemptAt: number | undefined;
}

/** The event with what became of it; a custom event is wrapped into Event Grid's schema, a CloudEvent gets attributes in lower case. */
export function deadLetterContent(
  { schema }: Pick<EventSubscription, "schema">,
  { event, publishedAt }: Pick<PendingDelivery, "event" | "publishedAt">,
  death: Death,
): JsonObject {
  const isCloudEvent = schema === "CloudEventSchemaV1_0";
  const whole = schema === "CustomInputSchema" ? toEventGridSchema(event) : toDelivered(event, schema);
  const time = (at: number): string => new Date(at).toISOString();
  const facts = {
    deadLetterReason: death.reason,
    deliveryAttempts: death.attempts,
    lastDeliveryOutcome: death.outcome,
    publishTime: time(publishedAt),
    ...(death.lastAttemptAt === undefined ? {} : { lastDeliveryAttemptTime: time(death.lastAttemptAt) }),
  };
  if (!isCloudEvent) return { ...whole, ...facts };
  return { ...whole, ...Object.fromEntries(Object.entries(facts).map(([key, value]) => [key.toLowerCase(), value])) };
}
