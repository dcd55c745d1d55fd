import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export type Responder = (received: Received, response: ServerResponse) => void;

/** A subscriber of somebody else's: it repeats validation codes, and answers events as a test wants it. */
export class WebhookServer {
  readonly received: Received[] = [];
  respond: Responder = (_received, response) => response.writeHead(200).end();
  handshake: Responder = repeatCode;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<WebhookServer> {
    const holder: { webhook?: WebhookServer } = {};
    const server = createServer((request, response) => {
      void readBody(request).then((body) => holder.webhook?.take({ request, body }, response));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const webhook = new WebhookServer(server, (server.address() as AddressInfo).port);
    holder.webhook = webhook;
    return webhook;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook?code=secret`;
  }

  /** Requests that brought events, and no handshakes. */
  get deliveries(): Received[] {
    return this.received.filter(
      ({ headers, method }) => method === "POST" && headers["aeg-event-type"] === "Notification",
    );
  }

  /** The events of all deliveries, one after the other. */
  get events(): Record<string, unknown>[] {
    return this.deliveries.flatMap(({ body }) => body as Record<string, unknown>[]);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take({ request, body }: { request: IncomingMessage; body: unknown }, response: ServerResponse): void {
    const { method = "", url: path = "", headers } = request;
    const received = { method, path, headers, body };
    this.received.push(received);
    const isHandshake = method === "OPTIONS" || headers["aeg-event-type"] === "SubscriptionValidation";
    (isHandshake ? this.handshake : this.respond)(received, response);
  }
}

export function repeatCode({ method, headers, body }: Received, response: ServerResponse): void {
  if (method === "OPTIONS") {
    response
      .writeHead(200, {
        "WebHook-Allowed-Origin": String(headers["webhook-request-origin"]),
        "WebHook-Allowed-Rate": "*",
      })
      .end();
    return;
  }
  const [event] = body as [{ data: { validationCode: string } }];
  response.writeHead(200).end(JSON.stringify({ validationResponse: event.data.validationCode }));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}
