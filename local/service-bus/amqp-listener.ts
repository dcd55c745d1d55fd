import type { AddressInfo, Server, Socket } from "node:net";
import type { Container } from "rhea";
import { largestFrameBytes, limitFrames } from "./frame-limit";

export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
}

/** Well above the interval of heartbeats: who is silent so long has no connection. */
const silenceMs = 240_000;

/** One port on which AMQP is spoken, plain or over TLS. */
export class AmqpListener {
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async listen(container: Container, port: number, tls?: TlsMaterial): Promise<AmqpListener> {
    const server = container.listen({
      ...{ host: "127.0.0.1", port, idle_time_out: 120_000, max_frame_size: largestFrameBytes, tcp_no_delay: true },
      ...(tls && { transport: "tls", key: tls.key, cert: tls.cert }),
      sender_options: { autosettle: false, treat_modified_as_released: false },
      receiver_options: { autoaccept: false, credit_window: 0 },
    } as never);
    const listener = new AmqpListener(server);
    server.prependListener(tls ? "secureConnection" : "connection", (socket: Socket) => listener.track(socket));
    // A client that does not get through its handshake is its own problem.
    server.on("tlsClientError", () => undefined);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    server.once("listening", () => resolve(undefined));
    server.once("error", (error: NodeJS.ErrnoException) => reject(portError(error, port)));
    await promise;
    return listener;
  }

  get port(): number {
    // A TCP server's address is never a string.
    return (this.server.address() as AddressInfo).port;
  }

  /** Takes no more connections, and resolves when the last one has ended. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  destroySockets(): void {
    for (const socket of this.sockets) socket.destroy(new Error("the client did not close its connection"));
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    socket.setTimeout(silenceMs, () => socket.destroy(new Error("the client was silent")));
    limitFrames(socket);
  }
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== "EADDRINUSE") return error;
  return new Error(`The Service Bus emulator cannot listen on 127.0.0.1:${port}: the port is in use.`, {
    cause: error,
  });
}
