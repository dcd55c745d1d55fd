import { create_container, type Connection, type Container, type EventContext, type Sender } from "rhea";
import { AmqpListener, type TlsMaterial } from "./amqp-listener";
import { LinkOpening } from "./link-opening";
import { OpenConnection } from "./open-connection";
import { holdAttaches, keepMessagesRaw } from "./rhea-internals";
import type { ServerParts } from "./server-parts";

const closeGraceMs = 500;
/** As many as Azure lets a connection have. */
const mostSessions = 5000;

interface Ports {
  readonly plain: number;
  readonly tls?: { readonly port: number; readonly material: TlsMaterial } | undefined;
}

/** The AMQP side of the emulator: listeners and connections. What a link means is said in `link-opening.ts`. */
export class AmqpServer {
  private readonly connections = new Map<Connection, OpenConnection>();
  private readonly links: LinkOpening;
  private plain: AmqpListener | undefined;
  private tls: AmqpListener | undefined;

  private constructor(private readonly parts: ServerParts) {
    this.links = new LinkOpening(parts, (connection) => this.connections.get(connection));
  }

  static async listen(parts: ServerParts, { plain, tls }: Ports): Promise<AmqpServer> {
    const container = create_container({ id: "corral-service-bus" });
    offerMechanisms(container);
    const server = new AmqpServer(parts);
    server.handle(container);
    server.plain = await AmqpListener.listen(container, plain);
    try {
      if (tls) server.tls = await AmqpListener.listen(container, tls.port, tls.material);
    } catch (error) {
      await server.plain.close();
      throw error;
    }
    return server;
  }

  get port(): number {
    return this.plain?.port ?? 0;
  }

  get tlsPort(): number | undefined {
    return this.tls?.port;
  }

  /** Tells every client that the connection ends, and does not wait long for those that do not listen. */
  async close(): Promise<void> {
    const listeners = [this.plain, this.tls].filter((listener) => listener !== undefined);
    const closed = Promise.all(listeners.map((listener) => listener.close()));
    const reason = { condition: "amqp:connection:forced", description: "The Service Bus emulator is shutting down." };
    for (const [connection, open] of this.connections) {
      open.close();
      connection.close(reason);
    }
    const grace = setTimeout(() => {
      for (const listener of listeners) listener.destroySockets();
    }, closeGraceMs);
    await closed;
    clearTimeout(grace);
  }

  private handle(container: Container): void {
    const { log } = this.parts;
    container.on("connection_open", ({ connection }: EventContext) => {
      this.connections.set(connection, new OpenConnection(connection, this.parts));
    });
    container.on("session_open", (context: EventContext) => this.onSession(context));
    container.on("sender_open", ({ sender }: EventContext) => sender && this.links.openOutbound(sender));
    container.on("receiver_open", ({ receiver }: EventContext) => receiver && this.links.openInbound(receiver));
    container.on("sender_close", ({ sender }: EventContext) => sender && this.links.forget(sender));
    container.on("receiver_close", ({ receiver }: EventContext) => receiver && this.links.forget(receiver));
    container.on("session_close", ({ session, connection }: EventContext) => {
      session?.each_sender((sender: Sender) => this.links.forget(sender), allLinks);
      const open = this.connections.get(connection);
      if (open) open.sessions -= 1;
    });
    for (const end of ["connection_close", "disconnected"]) {
      container.on(end, ({ connection }: EventContext) => this.drop(connection));
    }
    // Without a listener rhea throws these, and the process would end.
    for (const name of ["connection_error", "session_error", "sender_error", "receiver_error"]) {
      container.on(name, () => undefined);
    }
    for (const name of ["error", "protocol_error"]) {
      container.on(name, (error: unknown) =>
        log(`service bus: ${name}: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
  }

  private onSession({ session, connection }: EventContext): void {
    if (!session) return;
    keepMessagesRaw(session);
    holdAttaches(session);
    const open = this.connections.get(connection);
    if (!open) return;
    open.sessions += 1;
    if (open.sessions <= mostSessions) return;
    const description = `A connection may have ${mostSessions} sessions.`;
    connection.close({ condition: "amqp:resource-limit-exceeded", description });
  }

  private drop(connection: Connection): void {
    connection.each_sender((sender: Sender) => this.links.forget(sender), allLinks);
    this.connections.get(connection)?.close();
    this.connections.delete(connection);
  }
}

const allLinks = () => true;

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
