import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { rootCertificates } from "node:tls";

export interface HttpCall {
  readonly method: "POST" | "OPTIONS" | "GET";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** 0 when only the status is of interest. */
  readonly maxBodyBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export type HttpAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: IncomingMessage["headers"];
      /** Undefined when it was longer than permitted. */
      readonly body: string | undefined;
    }
  | { readonly kind: "failed"; readonly reason: "timeout" | "resolution" | "socket"; readonly message: string };

export interface HttpCallerOptions {
  /** Event Grid waits 30 seconds for an answer. */
  readonly timeoutMs: number;
  /** Trusted besides the public ones: the certificate authority of the embedded cloud. */
  readonly caPem?: string | undefined;
}

/** Calls addresses that strangers chose: no redirect is followed, no answer is read beyond a limit, none is waited for longer than allowed. */
export class HttpCaller {
  private readonly http = new HttpAgent({ keepAlive: true, maxSockets: 32 });
  private readonly https: HttpsAgent;

  constructor(private readonly options: HttpCallerOptions) {
    const { caPem } = options;
    const ca = caPem === undefined ? {} : { ca: [...rootCertificates, caPem] };
    this.https = new HttpsAgent({ keepAlive: true, maxSockets: 32, ...ca });
  }

  async call(call: HttpCall): Promise<HttpAnswer> {
    const deadline = AbortSignal.timeout(this.options.timeoutMs);
    try {
      return await this.exchange(call, call.signal ? AbortSignal.any([deadline, call.signal]) : deadline);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (deadline.aborted) return { kind: "failed", reason: "timeout", message: "no answer in time" };
      return { kind: "failed", reason: isResolution(code) ? "resolution" : "socket", message };
    }
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }

  private exchange({ url, method, headers, body, maxBodyBytes }: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const options = { method, headers: { ...headers, ...length }, signal };
    const onAnswer = (response: IncomingMessage): void => {
      readWithin(response, maxBodyBytes).then(
        (text) =>
          resolve({ kind: "answered", status: response.statusCode ?? 0, headers: response.headers, body: text }),
        reject,
      );
    };
    const request = url.startsWith("https:")
      ? httpsRequest(url, { ...options, agent: this.https }, onAnswer)
      : httpRequest(url, { ...options, agent: this.http }, onAnswer);
    request.on("error", reject);
    request.end(body);
    return promise;
  }
}

const isResolution = (code: string | undefined): boolean => code === "ENOTFOUND" || code === "EAI_AGAIN";

/** The text of an answer; of one that is longer than permitted nothing more than the status is used, and its connection ends. */
async function readWithin(response: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > Math.max(maxBytes, DRAINED_BYTES)) {
      response.destroy();
      return undefined;
    }
    if (length <= maxBytes) chunks.push(chunk);
  }
  return length > maxBytes ? undefined : Buffer.concat(chunks).toString("utf8");
}

/** So much of an answer that nobody wants is read, to keep its connection. */
const DRAINED_BYTES = 64 * 1024;
