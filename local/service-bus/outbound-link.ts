import type { AmqpError, Delivery, EventContext, Sender } from "rhea";
import type { Dispatcher } from "./dispatcher";
import { tagOfToken, tokenOfTag } from "./lock-token";
import { encodeMessage } from "./message-format";
import type { Lock } from "./lock-table";
import type { MessageQueue } from "./message-queue";
import { destroySocket, freeDeliverySlots, LinkCredit, settleSent } from "./rhea-internals";
import { operationOn, type ServerParts } from "./server-parts";
import type { SessionLock } from "./sessions";
import { settlementOf } from "./settlement";

/** A link on which a client receives: it takes messages while it has credit, and settles them. */
export class OutboundLink {
  private readonly credit: LinkCredit;
  private readonly dispatcher: Dispatcher;
  /** `receiveAndDelete`: messages are gone when they are sent. */
  private readonly presettled: boolean;
  /** Messages that a fault rule holds; they use credit, though they were not sent. */
  private held = 0;

  private readonly parts: ServerParts;
  private readonly session: SessionLock | undefined;

  constructor(
    private readonly sender: Sender,
    private readonly queue: MessageQueue,
    { parts, session }: { readonly parts: ServerParts; readonly session?: SessionLock },
  ) {
    this.parts = parts;
    this.session = session;
    this.credit = new LinkCredit(sender);
    this.dispatcher = parts.dispatcherOf(queue);
    this.presettled = sender.snd_settle_mode === 1;
    sender.on("sender_flow", () => this.dispatcher.schedule());
    for (const outcome of ["accepted", "rejected", "modified", "released"]) {
      sender.on(outcome, (context: EventContext) => this.onOutcome(context.delivery));
    }
    sender.on("settled", (context: EventContext) => this.onSettled(context.delivery));
    this.dispatcher.add(this);
  }

  /** The link or its connection is gone. Locks stay until they expire, as in Azure; a session is given back at once. */
  detach(): void {
    this.dispatcher.remove(this);
    if (!this.session || this.parts.isClosed()) return;
    this.queue.closeSession(this.session, this.parts.now());
    this.dispatcher.schedule();
  }

  /** A receiver whose session was not renewed in time has lost it, and its link. */
  checkSession(): void {
    if (!this.session || this.queue.sessions?.isHeld(this.session)) return;
    this.dispatcher.remove(this);
    this.sender.close(sessionLost);
  }

  /** The queue was deleted. */
  dissolve(): void {
    this.dispatcher.remove(this);
    this.sender.close({
      condition: "amqp:not-found",
      description: `The messaging entity 'sb://127.0.0.1/${this.queue.name}' could not be found: it was deleted.`,
    });
  }

  canTake(): boolean {
    return this.hasRoom() && this.queue.shelf.hasReady(this.session);
  }

  takeNext(): void {
    if (this.presettled) {
      this.takeForGood();
      return;
    }
    const lock = this.queue.receive(this.parts.now(), this.session);
    if (!lock) return;
    if (this.parts.faults.idle) this.transfer(lock);
    else void this.transferUnderFaults(lock);
  }

  answerDrain(): void {
    this.credit.answerDrain();
  }

  private hasRoom(): boolean {
    const room = Math.min(this.credit.available(), freeDeliverySlots(this.sender));
    return this.sender.is_open() && room - this.held > 0;
  }

  private takeForGood(): void {
    const message = this.queue.receiveAndDelete(this.parts.now(), this.session);
    if (message) this.send(encodeMessage({ ...message, deliveries: message.deliveries + 1 }), Buffer.alloc(16));
  }

  private transfer({ token, message, lockedUntil }: Lock): void {
    this.send(encodeMessage(message, { lockedUntil }), tagOfToken(token));
  }

  private send(payload: Buffer, tag: Buffer): void {
    this.credit.countSent();
    this.sender.send(payload, tag, 0);
  }

  private async transferUnderFaults(lock: Lock): Promise<void> {
    const operation = operationOn("deliver", this.queue);
    const { messageId } = lock.message;
    this.held += 1;
    const verdict = await this.parts.faults.at("before", operation, messageId);
    this.held -= 1;
    if (this.parts.isClosed()) return;
    if (verdict) this.obey(verdict);
    if (verdict || !this.hasRoom() || !this.queue.isLocked(lock.token, this.parts.now())) {
      this.queue.undoReceive(lock.token);
      this.dispatcher.schedule();
      return;
    }
    this.transfer(lock);
    const afterwards = await this.parts.faults.at("after", operation, messageId);
    if (afterwards && !this.parts.isClosed()) this.obey(afterwards);
  }

  private obey(verdict: NonNullable<Awaited<ReturnType<ServerParts["faults"]["at"]>>>): void {
    if (verdict.kind === "drop") destroySocket(this.sender.connection, "dropped by the fault plan");
    else this.sender.close({ condition: verdict.code, description: verdict.message });
  }

  private onOutcome(delivery: Delivery | undefined): void {
    if (!delivery || delivery.settled || this.parts.isClosed()) return;
    if (this.parts.faults.idle) this.settle(delivery);
    else void this.settleUnderFaults(delivery);
  }

  /** Some clients settle without an outcome when they let go of a delivery; its place in the window is free then. */
  private onSettled(delivery: Delivery | undefined): void {
    if (delivery && !delivery.settled && delivery.remote_state === undefined) delivery.update(true);
  }

  private settle(delivery: Delivery, beforeAnswer?: () => Promise<boolean>): void {
    const outcome = this.queue.settle(tokenOfTag(delivery.tag), settlementOf(delivery.remote_state), this.parts.now());
    const answer = () => {
      settleSent(delivery, outcome === "settled" ? undefined : this.lossOfLock());
      if (this.queue.shelf.hasReady(this.session)) this.dispatcher.schedule();
    };
    const answerLater = async () => {
      if (!beforeAnswer || (await beforeAnswer())) answer();
    };
    this.parts.journal.whenCommitted(beforeAnswer ? () => void answerLater() : answer, (error) =>
      this.refuse(delivery, error),
    );
  }

  private async settleUnderFaults(delivery: Delivery): Promise<void> {
    const operation = operationOn("settle", this.queue);
    const messageId = this.queue.messageIdOf(tokenOfTag(delivery.tag)) ?? "";
    const passes = async (stage: "before" | "after") => {
      const verdict = await this.parts.faults.at(stage, operation, messageId);
      if (verdict?.kind === "drop") destroySocket(this.sender.connection, "dropped by the fault plan");
      if (verdict?.kind === "fail") settleSent(delivery, { condition: verdict.code, description: verdict.message });
      return verdict === undefined && !this.parts.isClosed();
    };
    if (await passes("before")) this.settle(delivery, () => passes("after"));
  }

  private lossOfLock(): AmqpError {
    return this.session ? sessionLost : lockLost;
  }

  private refuse(delivery: Delivery, error: unknown): void {
    this.parts.log(`service bus: a settlement on ${this.queue.name} could not be stored: ${String(error)}`);
    settleSent(delivery, { condition: "amqp:internal-error", description: "The settlement could not be stored." });
  }
}

const lockLost = {
  condition: "com.microsoft:message-lock-lost",
  description:
    "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue, or was received by a different receiver instance.",
};

const sessionLost = {
  condition: "com.microsoft:session-lock-lost",
  description: "The session lock has expired on the MessageSession. Accept a new MessageSession.",
};
