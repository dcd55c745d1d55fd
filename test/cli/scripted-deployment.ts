import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt, type JWTPayload } from "jose";
import { TENANT } from "../local/azure/wire";
import { API } from "../conformance/identity/sign-in";

export interface ApiRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly token: string;
  readonly claims: JWTPayload;
  readonly body: unknown;
}

export interface ApiReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Answers as a deployment would: its facts to anybody, and to who has a token what the test says. */
export class ScriptedDeployment {
  readonly requests: ApiRequest[] = [];
  private answer: (request: ApiRequest) => ApiReply = () => ({ status: 404, body: notScripted });

  private constructor(
    readonly url: string,
    readonly close: () => Promise<void>,
  ) {}

  static async start(facts: object = {}): Promise<ScriptedDeployment> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        const isFacts = url === "/api/deployment";
        const text = Buffer.concat(chunks).toString("utf8");
        const {
          status = 200,
          headers: more,
          body,
        } = isFacts
          ? { body: { tenantId: TENANT, audience: API, ...facts }, headers: {} }
          : deployment.take({ method, path: url, authorization: headers.authorization ?? "", text });
        response.writeHead(status, { "content-type": "application/json", ...more });
        response.end(body === undefined ? "" : JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const deployment = new ScriptedDeployment(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    );
    return deployment;
  }

  /** From now on; what was asked before is forgotten. */
  script(answer: (request: ApiRequest) => ApiReply): void {
    this.requests.length = 0;
    this.answer = answer;
  }

  private take(call: { method: string; path: string; authorization: string; text: string }): ApiReply {
    const token = call.authorization.replace(/^Bearer /, "");
    if (token === "") return { status: 401, body: notScripted };
    const body: unknown = call.text === "" ? undefined : JSON.parse(call.text);
    const request = { method: call.method, path: call.path, token, claims: decodeJwt(token), body };
    this.requests.push(request);
    return this.answer(request);
  }
}

const notScripted = { error: { code: "NotFound", message: "nothing is here" } };
