import { request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface HttpCall {
  readonly method: string;
  readonly url: string;
  readonly token?: string | undefined;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 30_000;

/** JSON over HTTP, trusting the stack's own CA: Node's fetch would need it in the environment before this process began. */
export class JsonClient {
  private readonly agent: Agent;

  constructor(ca: string) {
    this.agent = new Agent({ ca, keepAlive: true });
  }

  call({ method, url, token, json, form, headers: more }: HttpCall): Promise<HttpAnswer> {
    const body = form ? new URLSearchParams(form).toString() : jsonTextOf(json);
    const headers: Record<string, string> = { accept: "application/json", ...more };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    if (body !== undefined) {
      headers["content-type"] = form ? "application/x-www-form-urlencoded" : "application/json";
      headers["content-length"] = String(Buffer.byteLength(body));
    }
    return new Promise((resolve, reject) => {
      const secure = url.startsWith("https:");
      const request = secure
        ? httpsRequest(url, { method, headers, agent: this.agent, timeout: TIMEOUT_MS })
        : httpRequest(url, { method, headers, timeout: TIMEOUT_MS });
      request.on("timeout", () => request.destroy(new Error(`${method} ${url}: no answer within ${TIMEOUT_MS} ms`)));
      request.on("error", reject);
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: parseJson(text) }));
      });
      request.end(body);
    });
  }

  /** As `call`, but anything that is no success throws with what the server said. */
  async expect(call: HttpCall): Promise<unknown> {
    const { status, body } = await this.call(call);
    if (status >= 200 && status < 300) return body;
    throw new Error(`${call.method} ${call.url} answered ${status}: ${JSON.stringify(body)}`);
  }

  close(): void {
    this.agent.destroy();
  }
}

const jsonTextOf = (json: unknown): string | undefined => (json === undefined ? undefined : JSON.stringify(json));

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
