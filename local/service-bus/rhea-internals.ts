import type { Socket } from "node:net";
import { message, type AmqpError, type Connection, type Delivery, type Sender, type Session } from "rhea";

/**
 * What the emulator needs of rhea 3.0.5 beyond its public face. The version is pinned for this file's sake; each function says
 * what would go wrong without it.
 */
interface SessionInternals {
  on_transfer(frame: TransferFrame): void;
  create_sender(...given: unknown[]): Sender;
  readonly outgoing: { available(): number };
  readonly remote: { readonly handles: Readonly<Record<number, object | undefined>> };
  readonly links: object;
}

interface TransferFrame {
  readonly performative: { message_format?: number | null; readonly handle: number; readonly more?: boolean | null };
  readonly payload?: Buffer;
}

interface SenderInternals {
  credit: number;
  delivery_count: number;
  _draining: boolean;
  _drained: boolean;
  _get_drain(): boolean;
}

interface ConnectionInternals {
  readonly socket: Socket;
  _register(): void;
}

export const rawFormat = 0xf0000000;
const longestTransferBytes = 4 * 1024 * 1024;
const mostLinks = 2000;

/** rhea decodes messages of format 0 and loses the types of numbers on the way; any other format it hands over as bytes. */
export function keepMessagesRaw(session: Session): void {
  const internals = session as unknown as SessionInternals;
  const original = internals.on_transfer.bind(session);
  internals.on_transfer = (frame) => {
    limitTransfer(internals, frame);
    if (!frame.performative.message_format) frame.performative.message_format = rawFormat;
    original(frame);
  };
}

/** Bytes of the transfers that a link has begun and not ended. rhea would gather them without end. */
const unfinished = new WeakMap<object, number>();

function limitTransfer(session: SessionInternals, { performative, payload }: TransferFrame): void {
  const link = session.remote.handles[performative.handle];
  if (!link) return;
  const size = (unfinished.get(link) ?? 0) + (payload?.length ?? 0);
  if (size > longestTransferBytes) throw new Error(`a transfer of more than ${longestTransferBytes} bytes`);
  if (performative.more) unfinished.set(link, size);
  else unfinished.delete(link);
}

/** rhea answers an attach at once. One that waits for a session is answered when there is one. */
export function holdAttaches(session: Session): void {
  const internals = session as unknown as SessionInternals;
  const original = internals.create_sender.bind(session);
  internals.create_sender = (...given) => {
    if (Object.keys(internals.links).length >= mostLinks) throw new Error(`more than ${mostLinks} links in a session`);
    const sender = original(...given);
    (sender as { open: unknown }).open = () => undefined;
    return sender;
  };
}

export function answerAttach(sender: Sender): void {
  // What stands behind the replacement is the method of the prototype.
  delete (sender as { open?: unknown }).open;
  (sender as unknown as { open(): void }).open();
}

/** Fields of the attach that a link is answered with. */
export function answerWith(link: object, fields: Readonly<Record<string, unknown>>): void {
  const { attach } = (link as { local: { attach: Record<string, unknown> } }).local;
  Object.assign(attach, fields);
}

/** Free places in the session's window of 2048 unsettled deliveries; a send beyond it throws. */
export function freeDeliverySlots(sender: Sender): number {
  return (sender.session as unknown as SessionInternals).outgoing.available();
}

/** Settles a delivery that we sent. In receiver settle mode "second" rhea waits for a second settlement that never comes, and its window fills up. */
export function settleSent(delivery: Delivery, error?: AmqpError): void {
  // A client may settle after its link was cut, as long as the link's session lives, and waits for the answer.
  if (!delivery.link.session.is_open()) return;
  delivery.update(true, outcome(error));
  markRemoteSettled(delivery);
}

/** Answers a delivery that we received. */
export function settleReceived(delivery: Delivery, error?: AmqpError): void {
  if (!delivery.link.session.is_open()) return;
  delivery.update(true, outcome(error));
}

/** Sends without waiting for a settlement, so that a client which never settles its replies cannot fill the window. */
export function sendSettled(sender: Sender, payload: Buffer): void {
  const delivery = sender.send(payload, undefined, 0) as { settled: boolean };
  delivery.settled = true;
}

export function destroySocket(connection: Connection, reason: string): void {
  // With an error, so that rhea notices: it does not listen for "close" and would keep its timers.
  (connection as unknown as ConnectionInternals).socket.destroy(new Error(reason));
}

/**
 * Counts the credit of a link as it really is: rhea takes it off only when the transfer is written, in a later tick. And it
 * answers a drain with credit left only, while clients wait for an answer to each.
 */
export class LinkCredit {
  private readonly internals: SenderInternals;
  private sent = 0;
  private drained = 0;

  constructor(private readonly sender: Sender) {
    this.internals = sender as unknown as SenderInternals;
    this.internals._get_drain = () => this.drainNow();
  }

  available(): number {
    const { credit, delivery_count: deliveryCount } = this.internals;
    return credit - (this.sent - (deliveryCount - this.drained));
  }

  countSent(): void {
    this.sent += 1;
  }

  /** Call once everything that can be sent was sent. */
  answerDrain(): void {
    if (!this.internals._draining) return;
    this.sender.set_drained(true);
    (this.sender.connection as unknown as ConnectionInternals)._register();
  }

  private drainNow(): boolean {
    const { internals } = this;
    if (!internals._draining || !internals._drained) return false;
    internals._draining = false;
    this.drained += internals.credit;
    internals.delivery_count += internals.credit;
    internals.credit = 0;
    return true;
  }
}

function markRemoteSettled(delivery: Delivery): void {
  (delivery as { remote_settled: boolean }).remote_settled = true;
}

function outcome(error: AmqpError | undefined): unknown {
  const composite = (error ? rheaOutcomes.rejected({ error }) : rheaOutcomes.accepted()) as { described(): unknown };
  return composite.described();
}

/** Made at run time by rhea's `define_outcome`; the typings know the accepted one only. */
const rheaOutcomes = message as unknown as { accepted(): unknown; rejected(fields: { error: AmqpError }): unknown };
