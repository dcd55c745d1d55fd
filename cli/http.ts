import type { TokenCredential } from "@azure/identity";
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
  type Pipeline,
  type PipelineResponse,
  redirectPolicyName,
} from "@azure/core-rest-pipeline";
import { CliError, EXIT, messageOf, refused } from "./cli-error";

export interface HttpCall {
  readonly method: HttpMethods;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; text as it is. */
  readonly body?: unknown;
}

export interface HttpReply {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
}

export interface HttpOptions {
  /** Without it calls are anonymous. */
  readonly credential?: TokenCredential;
  readonly scope?: string;
  readonly ca?: string | undefined;
}

const MAX_RETRIES = 3;

/** Calls one service as a user. Throttling and broken connections are tried again; redirects are not followed, as they would carry the token. */
export class HttpSender {
  private readonly pipeline: Pipeline;
  private readonly client = createDefaultHttpClient();

  constructor(private readonly options: HttpOptions) {
    this.pipeline = createPipelineFromOptions({
      retryOptions: { maxRetries: MAX_RETRIES },
      ...(options.ca !== undefined && { tlsOptions: { ca: options.ca } }),
    });
    this.pipeline.removePolicy({ name: redirectPolicyName });
  }

  async send(call: HttpCall): Promise<HttpReply> {
    const reply = await this.sendOnce(call);
    const claims = reply.status === 401 ? claimsOf(reply.headers.get("www-authenticate")) : undefined;
    // Conditional Access: the same call once more, with a token that meets the challenge.
    return readReply(claims === undefined ? reply : await this.sendOnce(call, claims));
  }

  private async sendOnce({ method, url, headers, body }: HttpCall, claims?: string): Promise<PipelineResponse> {
    const isLocal = isLoopback(url);
    const authorization = await this.authorization(url, claims);
    const request = createPipelineRequest({
      method,
      url,
      allowInsecureConnection: isLocal,
      headers: createHttpHeaders({
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json" }),
        ...authorization,
        ...headers,
      }),
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    try {
      return await this.pipeline.sendRequest(this.client, request);
    } catch (error) {
      throw new CliError(`${new URL(url).origin} does not answer: ${messageOf(error)}`, EXIT.unreachable);
    }
  }

  private async authorization(url: string, claims?: string): Promise<Record<string, string>> {
    const { credential, scope } = this.options;
    if (!credential || scope === undefined) return {};
    if (!url.startsWith("https://") && !isLoopback(url))
      throw refused(`${new URL(url).origin} is not https: a token is not sent there in clear text`);
    const token = await credential.getToken(scope, claims === undefined ? {} : { claims });
    return { authorization: `Bearer ${token?.token ?? ""}` };
  }
}

/** The embedded stack's API is plain HTTP, on this computer. */
function isLoopback(url: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}

/** https://learn.microsoft.com/entra/identity-platform/claims-challenge */
export function claimsOf(challenge: string | undefined): string | undefined {
  if (challenge === undefined || !/^Bearer\b/i.test(challenge)) return undefined;
  const claims = /\bclaims="([^"]+)"/.exec(challenge)?.[1];
  if (claims === undefined || !/\berror="insufficient_claims"/.test(challenge)) return undefined;
  return Buffer.from(claims, "base64").toString("utf8");
}

function readReply({ status, bodyAsText }: PipelineResponse): HttpReply {
  const text = bodyAsText ?? "";
  try {
    return { status, text, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
  } catch {
    // A gateway's page instead of the service's answer: the caller shows its status.
    return { status, text, body: undefined };
  }
}
