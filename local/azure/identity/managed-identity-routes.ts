import { randomUUID, timingSafeEqual } from "node:crypto";
import type { FaultPlan } from "../../faults/fault-plan";
import { answerWithFaults } from "../http/answer-with-faults";
import type { WireHandler, WireReply, WireRequest } from "../http/wire";
import type { Directory, Principal } from "./directory";
import { type TokenIssuer, UnknownAudienceError } from "./token-issuer";

export interface ManagedIdentityOptions {
  readonly directory: Directory;
  readonly issuer: TokenIssuer;
  readonly faults: FaultPlan;
  /** The value of IDENTITY_HEADER: proves that the caller is the app, and not a page that sends it here. */
  readonly header: string;
  /** Object ids of the identities that are assigned to the function app. */
  readonly assigned: () => readonly string[];
}

/** App Service's token endpoint (IDENTITY_ENDPOINT): https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference */
export function createManagedIdentityRoutes(options: ManagedIdentityOptions): WireHandler {
  return async (request) => {
    if (request.method !== "GET" || request.path !== "/msi/token") return { status: 404 };
    const resource = request.query.get("resource") ?? "";
    const call = {
      service: "identity",
      operation: "token",
      subject: `${request.query.get("client_id") ?? ""} ${resource}`.trim(),
    };
    return answerWithFaults({
      faults: options.faults,
      call,
      answer: () => answer(options, request),
      refuse: ({ status, message, headers }) => failure(status, message, headers),
    });
  };
}

async function answer(options: ManagedIdentityOptions, { headers, query }: WireRequest): Promise<WireReply> {
  const given = headers["x-identity-header"];
  if (typeof given !== "string" || !isEqual(given, options.header)) return failure(401, "Unauthorized");
  if (query.get("api-version") !== "2019-08-01")
    return failure(400, "The api-version of the request is not supported.");
  const resource = query.get("resource");
  if (!resource) return failure(400, "The parameter 'resource' is missing.");
  const principal = select(options, query);
  if (!principal) {
    return failure(
      400,
      "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
    );
  }
  try {
    const { accessToken, expiresAt } = await options.issuer.issue(principal, resource);
    const expiresOn = String(Math.floor(expiresAt.getTime() / 1000));
    return {
      status: 200,
      body: {
        access_token: accessToken,
        expires_on: expiresOn,
        resource,
        token_type: "Bearer",
        client_id: principal.clientId,
      },
    };
  } catch (error) {
    if (error instanceof UnknownAudienceError)
      return failure(400, `AADSTS500011: The resource principal named ${resource} was not found in the tenant.`);
    throw error;
  }
}

/** Exactly one selector names a user-assigned identity; without one the system-assigned identity is meant. */
function select({ directory, assigned }: ManagedIdentityOptions, query: URLSearchParams): Principal | undefined {
  const candidates = assigned().flatMap((objectId) => directory.find(objectId) ?? []);
  const clientId = query.get("client_id");
  if (clientId) return candidates.find((candidate) => candidate.clientId === clientId.toLowerCase());
  const objectId = query.get("object_id") ?? query.get("principal_id");
  if (objectId) return candidates.find((candidate) => candidate.objectId === objectId.toLowerCase());
  const resourceId = query.get("mi_res_id");
  if (resourceId)
    return candidates.find((candidate) => candidate.resourceId?.toLowerCase() === resourceId.toLowerCase());
  return candidates.find(({ kind }) => kind === "system-assigned");
}

const failure = (status: number, message: string, headers?: Readonly<Record<string, string>>): WireReply => ({
  status,
  headers,
  body: { statusCode: status, message, correlationId: randomUUID() },
});

function isEqual(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
