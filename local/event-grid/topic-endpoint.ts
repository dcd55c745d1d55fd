import type { GridEvent, InputSchema } from "./grid-event";
import { type InputMapping, parsePublished } from "./published-events";
import { checkKey, checkToken, type CredentialCheck, type TopicKeys } from "./topic-credentials";

/** A custom topic as its endpoint needs it. */
export interface PublishTopic {
  readonly id: string;
  readonly endpoint: string;
  readonly inputSchema: InputSchema;
  readonly mapping?: InputMapping | undefined;
  readonly keys: TopicKeys;
  /** Keys and their tokens are refused then. */
  readonly disableLocalAuth: boolean;
  readonly isPublic: boolean;
}

export interface PublishRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly nowMs: number;
}

export interface PublishReply {
  readonly status: number;
  readonly body?: unknown;
}

export interface PublishPorts {
  /** Object id of a token's principal; undefined when the token is not good for Event Grid. */
  readonly identify: (authorization: string) => Promise<string | undefined>;
  readonly maySend: (principalId: string, topicId: string) => boolean;
  readonly accept: (topic: PublishTopic, events: readonly GridEvent[]) => void;
}

const CODES: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  413: "PayloadTooLarge",
};

export function publishError(
  status: number,
  message: string,
  code = CODES[status] ?? "InternalServerError",
): PublishReply {
  return { status, body: { error: { code, message, details: [{ code, message }] } } };
}

/** `POST /api/events` of a custom topic: https://learn.microsoft.com/azure/event-grid/post-to-custom-topic */
export async function publishToTopic(
  topic: PublishTopic | undefined,
  request: PublishRequest,
  ports: PublishPorts,
): Promise<PublishReply> {
  if (request.method !== "POST") return publishError(405, "Events are published with POST.");
  if (!topic) return publishError(404, "The requested resource does not exist.");
  if (!topic.isPublic)
    return publishError(
      403,
      "Publishing to this topic by the client is not permitted: its public network access is disabled.",
    );
  const refusal = await refusalOf(topic, request, ports);
  if (refusal) return refusal;
  const apiVersion = request.query.get("api-version");
  if (apiVersion !== null && apiVersion !== "2018-01-01")
    return publishError(400, `The specified api-version '${apiVersion}' is not supported, '2018-01-01' is.`);
  const { headers, body, nowMs } = request;
  const contentType = headers["content-type"];
  const parsed = parsePublished(topic, {
    ...{ body, headers, nowMs },
    contentType: typeof contentType === "string" ? contentType : "",
  });
  if (!parsed.ok) return publishError(parsed.status, parsed.reason);
  ports.accept(topic, parsed.events);
  return { status: 200 };
}

async function refusalOf(
  topic: PublishTopic,
  request: PublishRequest,
  ports: PublishPorts,
): Promise<PublishReply | undefined> {
  const authorization = textOf(request.headers["authorization"]);
  if (authorization !== undefined && /^bearer /i.test(authorization)) {
    const principalId = await ports.identify(authorization);
    if (principalId === undefined)
      return publishError(401, "The access token is invalid, has expired, or is for another audience.");
    if (ports.maySend(principalId, topic.id)) return undefined;
    return publishError(
      403,
      `The principal associated with access token presented with the incoming request does not have permission to send data to ${topic.id}. Check if the right role assignments are in effect for the principal to perform this operation. Learn more at https://aka.ms/eventgrid-rbac`,
    );
  }
  const check = checkLocal(topic, request, authorization);
  if (check.outcome === "valid") {
    if (!topic.disableLocalAuth) return undefined;
    return publishError(401, "Local authentication is disabled for this topic: present a token of Microsoft Entra ID.");
  }
  return publishError(
    401,
    `Request must contain one of the following authorization signature: aeg-sas-token, aeg-sas-key. ${check.reason}.`,
  );
}

function checkLocal(
  { endpoint, keys }: PublishTopic,
  { headers, query, nowMs }: PublishRequest,
  authorization: string | undefined,
): CredentialCheck {
  const key = textOf(headers["aeg-sas-key"]) ?? query.get("aeg-sas-key");
  if (key !== null) return checkKey(key, keys);
  const scheme = /^SharedAccessSignature (.*)$/i.exec(authorization ?? "")?.[1];
  const token = textOf(headers["aeg-sas-token"]) ?? scheme;
  if (token !== undefined) return checkToken(token, { endpoint, keys, nowMs });
  return { outcome: "refused", reason: "The request has none" };
}

const textOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
