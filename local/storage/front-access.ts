import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { batchRightsOf, blobRightsOf, type NeededRight, queueRightsOf, tableRightsOf } from "./access-rules";
import type { StorageService } from "./azurite-servers";
import { type DelegationKeys, lettersFor } from "./delegation-sas";
import {
  BAD_SIGNATURE,
  BAD_TOKEN,
  BAD_URI,
  NO_ACCOUNT,
  NO_AUTHENTICATION,
  NO_KEYS,
  PERMISSION_MISMATCH,
  type Refusal,
  TOO_LARGE,
  UNSUPPORTED,
} from "./storage-refusal";
import { type StorageTarget, targetOf } from "./storage-target";

export interface StorageQuestion {
  readonly principalId: string;
  readonly action: string;
  readonly plane: "control" | "data";
  readonly scope: string;
}

export interface StorageAccountFacts {
  readonly id: string;
  readonly allowsSharedKey: boolean;
}

/** What ARM and Entra know. */
export interface FrontAccess {
  readonly tenantId: string;
  /** `https://localhost:5000/<tenant>`: where clients are sent for a token. */
  readonly tokenAuthority: () => string;
  readonly account: (name: string) => StorageAccountFacts | undefined;
  /** Object id of the token's principal; undefined when the token is not good for storage. */
  readonly identify: (authorization: string | undefined) => Promise<string | undefined>;
  readonly allows: (question: StorageQuestion) => boolean;
}

/** How a request gets on: by its own key, or as one that the front signs; with the body, where it had to be read. */
export interface Pass {
  readonly by: "key" | "role";
  readonly body?: Buffer | undefined;
  /** What the front answers itself. */
  readonly answer?: string;
}

interface Asked {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

type Gate = FrontAccess & { readonly service: StorageService; readonly delegation: DelegationKeys };

const MAX_BATCH_BYTES = 5 * 1024 * 1024;

/** Who asks comes first, then the operation, then the roles; in Azure's words. */
export async function decide(
  gate: Gate,
  request: IncomingMessage | Asked,
  target: StorageTarget,
): Promise<Pass | Refusal> {
  const account = gate.account(target.account);
  if (!account) return NO_ACCOUNT;
  const { authorization = "" } = request.headers;
  const isSigned = target.query.has("sig");
  if (/^SharedKey/i.test(authorization) || (isSigned && !target.query.has("skoid") && authorization === ""))
    return account.allowsSharedKey ? { by: "key" } : NO_KEYS;
  if (isSigned && authorization === "") return bySignature(gate, { request, target, account });
  if (authorization === "") return NO_AUTHENTICATION;
  const objectId = await gate.identify(authorization);
  if (objectId === undefined) return BAD_TOKEN;
  return byRole(gate, { request, target, account, objectId });
}

interface Call {
  readonly request: IncomingMessage | Asked;
  readonly target: StorageTarget;
  readonly account: StorageAccountFacts;
}

async function byRole(
  gate: Gate,
  { request, target, account, objectId }: Call & { objectId: string },
): Promise<Pass | Refusal> {
  const { method = "GET" } = request;
  const isBatch = gate.service === "table" && target.container === "$batch";
  const isKeyWanted = gate.service === "blob" && target.query.get("comp") === "userdelegationkey";
  const body = isBatch || isKeyWanted ? await readLimited(request, MAX_BATCH_BYTES) : undefined;
  if ((isBatch || isKeyWanted) && !body) return TOO_LARGE;
  const rights = isBatch
    ? batchRightsOf(body?.toString("utf8") ?? "", (url) => targetOf("table", url))
    : rightsOf(gate.service, method, { target, headers: request.headers });
  if (rights.length === 0) return UNSUPPORTED;
  const isAllowed = rights.every((right) => holds(gate, account, { right, principalId: objectId }));
  if (!isAllowed) return PERMISSION_MISMATCH;
  if (!isKeyWanted) return { by: "role", body };
  const answer = gate.delegation.answer({ objectId, tenantId: gate.tenantId }, body?.toString("utf8") ?? "");
  return answer === undefined
    ? { ...BAD_URI, code: "InvalidXmlDocument", message: "XML specified is not syntactically valid." }
    : { by: "role", answer };
}

/** A signature permits what it says, and no more than who gave it may do now. */
function bySignature(gate: Gate, { request, target, account }: Call): Pass | Refusal {
  const { method = "GET" } = request;
  if (gate.service !== "blob") return BAD_SIGNATURE;
  const [right] = rightsOf("blob", method, { target, headers: request.headers });
  if (!right) return UNSUPPORTED;
  const verified = gate.delegation.verify(target, lettersFor(right, method, target));
  if (verified === undefined || verified === "expired") return BAD_SIGNATURE;
  if (verified === "not permitted") return PERMISSION_MISMATCH;
  return holds(gate, account, { right, principalId: verified.objectId }) ? { by: "role" } : PERMISSION_MISMATCH;
}

function rightsOf(
  service: StorageService,
  method: string,
  { target, headers }: { target: StorageTarget; headers: IncomingHttpHeaders },
): NeededRight[] {
  if (service === "blob") return blobRightsOf(method, target, headers);
  if (service === "queue") return queueRightsOf(method, target);
  // Old clients send a merge as a POST that says what it means.
  return tableRightsOf(String(headers["x-http-method"] ?? method), target);
}

function holds(
  { allows }: Gate,
  account: StorageAccountFacts,
  { right, principalId }: { right: NeededRight; principalId: string },
): boolean {
  const scope = `${account.id}${right.scope}`;
  return right.actions.some((action) => allows({ principalId, action, plane: right.plane, scope }));
}

/** Undefined when it is larger; read to its end all the same, as who stops in the middle cannot answer any more. */
async function readLimited(request: IncomingMessage | Asked, limitBytes: number): Promise<Buffer | undefined> {
  if (!("socket" in request)) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= limitBytes) chunks.push(chunk);
  }
  return length <= limitBytes ? Buffer.concat(chunks) : undefined;
}
