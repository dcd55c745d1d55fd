import type { AddressInfo, Server, Socket } from "node:net";
import {
  create_container,
  type Connection,
  type Container,
  type EventContext,
  type link,
  type Receiver,
  type Sender,
} from "rhea";
import { Claims } from "./claims";
import { InboundLink } from "./inbound-link";
import { manage } from "./management";
import { OutboundLink } from "./outbound-link";
import { keepMessagesRaw } from "./rhea-internals";
import { serveRequests } from "./request-links";
import { entityPath } from "./sas-token";
import { maxMessageBytes, type ServerParts } from "./server-parts";

const cbs = "$cbs";
const managementSuffix = "/$management";
const closeGraceMs = 500;

/** The AMQP side of the emulator: connections, claims and links. What a link means to a queue is said in its own file. */
export class AmqpServer {
  private readonly connections = new Map<Connection, Claims>();
  private readonly sockets = new Set<Socket>();
  private readonly receivers = new WeakMap<object, OutboundLink>();

  private constructor(
    private readonly parts: ServerParts,
    private readonly server: Server,
  ) {}

  static async listen(parts: ServerParts, port: number): Promise<AmqpServer> {
    const container = create_container({ id: "corral-service-bus" });
    offerMechanisms(container);
    const listener = container.listen({
      ...{ host: "127.0.0.1", port, idle_time_out: 120_000, max_frame_size: 65_536, tcp_no_delay: true },
      sender_options: { autosettle: false, treat_modified_as_released: false },
      receiver_options: { autoaccept: false, credit_window: 0 },
    } as never);
    const server = new AmqpServer(parts, listener);
    server.handle(container);
    await new Promise<void>((resolve, reject) => {
      listener
        .once("listening", () => resolve())
        .once("error", (error: NodeJS.ErrnoException) => reject(portError(error, port)));
    });
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Tells every client that the connection ends, and does not wait long for those that do not listen. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const reason = { condition: "amqp:connection:forced", description: "The Service Bus emulator is shutting down." };
    for (const connection of this.connections.keys()) connection.close(reason);
    const grace = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy(new Error("the client did not close its connection"));
    }, closeGraceMs);
    await closed;
    clearTimeout(grace);
  }

  private handle(container: Container): void {
    const { log } = this.parts;
    this.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
    container.on("connection_open", ({ connection }: EventContext) => {
      this.connections.set(connection, new Claims(this.parts.keys, this.parts.now));
    });
    container.on("session_open", ({ session }: EventContext) => session && keepMessagesRaw(session));
    container.on("sender_open", ({ sender }: EventContext) => sender && this.openOutbound(sender));
    container.on("receiver_open", ({ receiver }: EventContext) => receiver && this.openInbound(receiver));
    container.on("sender_close", ({ sender }: EventContext) => sender && this.receivers.get(sender)?.detach());
    container.on("session_close", ({ session }: EventContext) =>
      session?.each_sender((sender: Sender) => this.forget(sender), allLinks),
    );
    for (const end of ["connection_close", "disconnected"]) {
      container.on(end, ({ connection }: EventContext) => this.drop(connection));
    }
    // Without a listener rhea throws these, and the process would end.
    for (const name of ["connection_error", "session_error", "sender_error", "receiver_error"]) {
      container.on(name, () => undefined);
    }
    for (const name of ["error", "protocol_error"]) {
      container.on(name, (error: unknown) =>
        log(`service bus: ${name}: ${error instanceof Error ? (error.stack ?? "") : String(error)}`),
      );
    }
  }

  /** The client receives on this link. */
  private openOutbound(sender: Sender): void {
    const path = entityPath((sender.source as { address?: string } | undefined)?.address ?? "");
    mirror(sender);
    if (path === cbs) return;
    if (!this.isAllowed(sender, path, "Listen") || path.endsWith(managementSuffix)) return;
    const queue = this.parts.broker.find(path);
    if (!queue) refuseUnknown(sender, path);
    else if (asksForSession(sender)) sender.close(noSessions);
    else this.receivers.set(sender, new OutboundLink(sender, queue, this.parts));
  }

  /** The client sends on this link. */
  private openInbound(receiver: Receiver): void {
    const path = entityPath((receiver.target as { address?: string } | undefined)?.address ?? "");
    mirror(receiver);
    const { log } = this.parts;
    const claims = this.connections.get(receiver.connection);
    if (path === cbs) {
      const spelling = { status: "status-code", description: "status-description" };
      serveRequests(receiver, { spelling, log, handle: (request) => claims?.put(request) ?? noConnection });
      return;
    }
    if (!this.isAllowed(receiver, path, "Send")) return;
    const managed = path.endsWith(managementSuffix);
    const queue = this.parts.broker.find(managed ? path.slice(0, -managementSuffix.length) : path);
    if (!queue) refuseUnknown(receiver, path);
    else if (managed) {
      const spelling = { status: "statusCode", description: "statusDescription" };
      serveRequests(receiver, { spelling, log, handle: (request) => manage(queue, request, this.parts) });
    } else new InboundLink(receiver, queue, this.parts);
  }

  private isAllowed(amqpLink: link, path: string, right: string): boolean {
    if (this.connections.get(amqpLink.connection)?.allows(path)) return true;
    amqpLink.close({
      condition: "amqp:unauthorized-access",
      description: `Unauthorized access. '${right}' claim(s) are required to perform this operation. Resource: 'sb://127.0.0.1/${path}'.`,
    });
    return false;
  }

  private drop(connection: Connection): void {
    connection.each_sender((sender: Sender) => this.forget(sender), allLinks);
    this.connections.delete(connection);
  }

  private forget(sender: Sender): void {
    this.receivers.get(sender)?.detach();
  }
}

const allLinks = () => true;
const noConnection = { status: 500, description: "The connection is not open." };

const noSessions = {
  condition: "amqp:not-allowed",
  description: "It is not possible for an entity that doesn't require sessions to create a message receiver session.",
};

function asksForSession(sender: Sender): boolean {
  const { filter } = sender.source as { filter?: Readonly<Record<string, unknown>> };
  return Object.hasOwn(filter ?? {}, "com.microsoft:session-filter");
}

/** rhea answers an attach by itself; what it says has to repeat what the client asked for. */
function mirror(amqpLink: Sender | Receiver): void {
  const { source, target, snd_settle_mode, rcv_settle_mode } = amqpLink;
  amqpLink.set_source(source);
  amqpLink.set_target(target);
  const { attach } = (amqpLink as unknown as { local: { attach: Record<string, unknown> } }).local;
  Object.assign(attach, { snd_settle_mode, rcv_settle_mode, max_message_size: maxMessageBytes });
}

function refuseUnknown(amqpLink: link, path: string): void {
  amqpLink.close({
    condition: "amqp:not-found",
    description: `The messaging entity 'sb://127.0.0.1/${path}' could not be found.`,
  });
}

/** Claims decide, not SASL: clients of Service Bus come anonymously, with PLAIN, or with Azure's own mechanism. */
function offerMechanisms(container: Container): void {
  const mechanisms = container.sasl_server_mechanisms as Record<string, unknown> & {
    enable_anonymous(): void;
    enable_plain(check: () => boolean): void;
  };
  mechanisms.enable_anonymous();
  mechanisms.enable_plain(() => true);
  mechanisms["MSSBCBS"] = () => ({
    outcome: undefined as boolean | undefined,
    start() {
      this.outcome = true;
    },
  });
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== "EADDRINUSE") return error;
  return new Error(`The Service Bus emulator cannot listen on 127.0.0.1:${port}: the port is in use.`, {
    cause: error,
  });
}
