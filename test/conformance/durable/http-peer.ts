import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface PeerRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface PeerReply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Somebody else's HTTP service, on a port of its own, that remembers what it was asked. */
export class HttpPeer {
  readonly requests: PeerRequest[] = [];
  reply: (request: PeerRequest) => PeerReply = () => ({ status: 200 });

  private constructor(private readonly server: Server) {}

  static async start(): Promise<HttpPeer> {
    const server = createServer();
    const peer = new HttpPeer(server);
    server.on("request", (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const { method = "", url = "", headers } = incoming;
        const request = { method, path: url, headers, body: Buffer.concat(chunks).toString("utf8") };
        peer.requests.push(request);
        const { status, headers: sent = {}, body = "" } = peer.reply(request);
        outgoing.writeHead(status, sent).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return peer;
  }

  /** A server on TCP has an address and a port. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.requests.length = 0;
    this.reply = () => ({ status: 200 });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
