import type { Connection, link, Receiver, Sender } from "rhea";
import { InboundLink } from "./inbound-link";
import { manage } from "./management";
import type { MessageQueue } from "./message-queue";
import type { OpenConnection } from "./open-connection";
import { OutboundLink } from "./outbound-link";
import { serveRequests } from "./request-links";
import { answerAttach, answerWith } from "./rhea-internals";
import { entityPath } from "./sas-token";
import { maxMessageBytes, type ServerParts } from "./server-parts";
import { SessionAttach, wantedSession } from "./session-attach";

const cbs = "$cbs";
const managementSuffix = "/$management";

/** What goes when its link goes. */
interface Detachable {
  detach(): void;
}

/** Decides what a link that a client opens is good for, and whether the client may have it. */
export class LinkOpening {
  private readonly receivers = new WeakMap<object, Detachable>();

  constructor(
    private readonly parts: ServerParts,
    private readonly connectionOf: (connection: Connection) => OpenConnection | undefined,
  ) {}

  /** The client receives on this link. */
  openOutbound(sender: Sender): void {
    const path = entityPath((sender.source as { address?: string } | undefined)?.address ?? "");
    mirror(sender);
    const wanted = wantedSession(sender);
    const queue = this.parts.broker.find(path);
    if (!queue || wanted === undefined || !queue.sessions) answerAttach(sender);
    if (path === cbs) return;
    const access = { path, rights: ["Listen"] } as const;
    if (path.endsWith(managementSuffix)) {
      this.admits(sender, { path, rights: ["Listen", "Send", "Manage"] });
    } else if (this.admits(sender, access)) {
      const refusal = queue ? receiveRefusal(queue, wanted !== undefined) : unknownEntity(path);
      if (refusal && wanted !== undefined) withoutFilter(sender);
      if (refusal) this.refuse(sender, refusal);
      else if (queue) this.attach(sender, queue, wanted);
    } else {
      answerAttach(sender);
    }
  }

  /** The client sends on this link. */
  openInbound(receiver: Receiver): void {
    const path = entityPath((receiver.target as { address?: string } | undefined)?.address ?? "");
    mirror(receiver);
    const { log, broker } = this.parts;
    const open = this.connectionOf(receiver.connection);
    if (path === cbs) {
      const spelling = { status: "status-code", description: "status-description" };
      const handle = async (request: Parameters<NonNullable<typeof open>["claims"]["put"]>[0]) => {
        const reply = (await open?.claims.put(request)) ?? noConnection;
        open?.watch();
        return reply;
      };
      serveRequests(receiver, { spelling, log, handle });
      return;
    }
    const managed = path.endsWith(managementSuffix);
    const rights = managed ? (["Send", "Listen", "Manage"] as const) : (["Send"] as const);
    if (!this.admits(receiver, { path, rights })) return;
    const queue = broker.find(managed ? path.slice(0, -managementSuffix.length) : path);
    if (!queue) this.refuse(receiver, unknownEntity(path));
    else if (managed) {
      const spelling = { status: "statusCode", description: "statusDescription" };
      const allows = (right: "Send" | "Listen") => open?.claims.allows(path, right) ?? false;
      serveRequests(receiver, { spelling, log, handle: (request) => manage(request, { queue, allows }, this.parts) });
    } else if (isReadOnly(path)) this.refuse(receiver, cannotSend);
    else new InboundLink(receiver, queue, this.parts);
  }

  /** The link, or all that it was part of, is gone. */
  forget(amqpLink: link): void {
    this.receivers.get(amqpLink)?.detach();
    this.receivers.delete(amqpLink);
    this.connectionOf(amqpLink.connection)?.forget(amqpLink);
  }

  private attach(sender: Sender, queue: MessageQueue, wanted: string | null | undefined): void {
    const { parts } = this;
    if (wanted === undefined) {
      this.receivers.set(sender, new OutboundLink(sender, queue, { parts }));
      return;
    }
    this.receivers.set(sender, new SessionAttach(sender, queue, { parts, wanted }));
  }

  private admits(amqpLink: link, access: Parameters<OpenConnection["admits"]>[1]): boolean {
    const open = this.connectionOf(amqpLink.connection);
    if (!open) amqpLink.close();
    return open?.admits(amqpLink, access) ?? false;
  }

  private refuse(amqpLink: link, error: Refusal): void {
    this.connectionOf(amqpLink.connection)?.forget(amqpLink);
    amqpLink.close(error);
  }
}

/** A client that finds the session it asked for in the answer believes that it has it. */
function withoutFilter(sender: Sender): void {
  sender.set_source({ ...(sender.source as object), filter: undefined } as never);
}

interface Refusal {
  readonly condition: string;
  readonly description: string;
}

const noConnection = { status: 500, description: "The connection is not open." };

function receiveRefusal(queue: MessageQueue, asksForSession: boolean): Refusal | undefined {
  if (queue.options.forward && !queue.options.deadLetters && !queue.name.includes("/")) {
    const description = `Cannot create a message receiver on the topic '${queue.name}'. Receive from one of its subscriptions.`;
    return { condition: "amqp:not-allowed", description };
  }
  if (queue.options.forward) {
    const description = `Cannot create a message receiver on an entity with auto-forwarding enabled: '${queue.name}'.`;
    return { condition: "amqp:not-allowed", description };
  }
  if (asksForSession && !queue.sessions) return noSessions;
  if (!asksForSession && queue.sessions) return onlySessions;
  return undefined;
}

const noSessions = {
  condition: "amqp:not-allowed",
  description: "It is not possible for an entity that doesn't require sessions to create a message receiver session.",
};

const onlySessions = {
  condition: "amqp:not-allowed",
  description: "It is not possible for an entity that requires sessions to create a non-sessionful message receiver.",
};

const cannotSend = {
  condition: "amqp:not-allowed",
  description: "Messages are sent to queues and topics, not to subscriptions and dead-letter queues.",
};

function isReadOnly(path: string): boolean {
  return path.includes("/subscriptions/") || path.includes("/$");
}

/** rhea answers an attach by itself; what it says has to repeat what the client asked for. */
function mirror(amqpLink: Sender | Receiver): void {
  const { source, target, snd_settle_mode, rcv_settle_mode } = amqpLink;
  amqpLink.set_source(source);
  amqpLink.set_target(target);
  answerWith(amqpLink, { snd_settle_mode, rcv_settle_mode, max_message_size: maxMessageBytes });
}

function unknownEntity(path: string): Refusal {
  return {
    condition: "amqp:not-found",
    description: `The messaging entity 'sb://127.0.0.1/${path}' could not be found.`,
  };
}
