import { types, type Sender } from "rhea";
import type { MessageQueue } from "./message-queue";
import { OutboundLink } from "./outbound-link";
import { answerAttach, answerWith } from "./rhea-internals";
import type { ServerParts } from "./server-parts";
import type { SessionLock } from "./sessions";

const filterName = "com.microsoft:session-filter";
/** How long the service waits for a session when the client does not say. */
const defaultTimeoutMs = 60_000;
/** .NET counts time in 100 ns from the year 1. */
const ticksPerMs = 10_000n;
const ticksBefore1970 = 621_355_968_000_000_000n;

/** The session that an attach asks for, null for any; undefined when it asks for none. */
export function wantedSession(sender: Sender): string | null | undefined {
  const { filter } = sender.source as { filter?: Readonly<Record<string, unknown>> | null };
  if (!filter || !Object.hasOwn(filter, filterName)) return undefined;
  const value = filter[filterName];
  // Some clients describe the value.
  const plain = typeof value === "object" && value !== null ? (value as { value?: unknown }).value : value;
  return typeof plain === "string" ? plain : null;
}

interface SessionAttachOptions {
  readonly parts: ServerParts;
  readonly wanted: string | null;
}

/** An attach that asks for a session: it is answered when it has one, or when the client would give up. */
export class SessionAttach {
  private readonly deadline: NodeJS.Timeout;
  private link: OutboundLink | undefined;

  constructor(
    private readonly sender: Sender,
    private readonly queue: MessageQueue,
    private readonly options: SessionAttachOptions,
  ) {
    const said = Number((sender.properties as Record<string, unknown> | undefined)?.["com.microsoft:timeout"]);
    const timeoutMs = said > 0 ? Math.min(said, 2 ** 31 - 1) : defaultTimeoutMs;
    // The client must have the answer before its own time is over.
    this.deadline = setTimeout(() => this.giveUp(), Math.max(0, Math.min(timeoutMs * 0.95, timeoutMs - 200)));
    const dispatcher = options.parts.dispatcherOf(queue);
    dispatcher.addSeeker(this);
    dispatcher.schedule();
  }

  /** Called by the dispatcher whenever a session may have become free; true when the wait is over. */
  trySession(): boolean {
    const { parts, wanted } = this.options;
    const accepted = this.queue.sessions?.accept(wanted ?? undefined, parts.now());
    if (!accepted || accepted.outcome === "none") return false;
    clearTimeout(this.deadline);
    if (accepted.outcome === "accepted") this.open(accepted.lock);
    else
      this.refuse(
        "com.microsoft:session-cannot-be-locked",
        `The requested session '${wanted ?? ""}' cannot be accepted. It may be locked by another receiver.`,
      );
    return true;
  }

  detach(): void {
    clearTimeout(this.deadline);
    this.options.parts.dispatcherOf(this.queue).removeSeeker(this);
    this.link?.detach();
  }

  private open(lock: SessionLock): void {
    const { sender } = this;
    sender.set_source({ ...(sender.source as object), filter: { [filterName]: lock.sessionId } } as never);
    const ticks = Buffer.alloc(8);
    ticks.writeBigInt64BE(BigInt(Math.floor(lock.lockedUntil)) * ticksPerMs + ticksBefore1970);
    answerWith(sender, { properties: { "com.microsoft:locked-until-utc": types.wrap_long(ticks) } });
    answerAttach(sender);
    this.link = new OutboundLink(sender, this.queue, { parts: this.options.parts, session: lock });
  }

  private giveUp(): void {
    this.options.parts.dispatcherOf(this.queue).removeSeeker(this);
    this.refuse(
      "com.microsoft:timeout",
      "The request has timed out: there is no session with messages that is not locked.",
    );
  }

  private refuse(condition: string, description: string): void {
    const { sender } = this;
    sender.set_source({ ...(sender.source as object), filter: undefined } as never);
    answerAttach(sender);
    sender.close({ condition, description });
  }
}
