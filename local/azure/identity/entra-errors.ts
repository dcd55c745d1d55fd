import { randomUUID } from "node:crypto";
import type { WireReply } from "../http/wire";

interface EntraFailure {
  readonly status: number;
  readonly error: string;
  readonly number: number;
  readonly text: string;
}

/** A refusal on its way to the answer: thrown where it is found, answered where the request came in. */
export class EntraRefusal extends Error {
  override readonly name = "EntraRefusal";

  constructor(readonly reply: WireReply) {
    super("Entra refused the request.");
  }
}

/** Error bodies of the token endpoint: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
export function entraError({ status, error, number, text }: EntraFailure): WireReply {
  const traceId = randomUUID();
  const correlationId = randomUUID();
  const timestamp = `${new Date().toISOString().slice(0, 19).replace("T", " ")}Z`;
  return {
    status,
    headers: { "x-ms-request-id": traceId },
    body: {
      error,
      error_description: `AADSTS${number}: ${text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [number],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `https://login.microsoftonline.com/error?code=${number}`,
    },
  };
}

export const tenantNotFound = (tenant: string): WireReply =>
  entraError({
    status: 400,
    error: "invalid_tenant",
    number: 90002,
    text: `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  });

export const missingParameter = (name: string): WireReply =>
  entraError({
    status: 400,
    error: "invalid_request",
    number: 900144,
    text: `The request body must contain the following parameter: '${name}'.`,
  });

export const unsupportedGrant = (grant: string): WireReply =>
  entraError({
    status: 400,
    error: "unsupported_grant_type",
    number: 70003,
    text: `The app requested an unsupported grant type '${grant}'.`,
  });

export const unknownClient = (clientId: string, tenantId: string): WireReply =>
  entraError({
    status: 400,
    error: "unauthorized_client",
    number: 700016,
    text: `Application with identifier '${clientId}' was not found in the directory '${tenantId}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  });

export const wrongSecret = (clientId: string): WireReply =>
  entraError({
    status: 401,
    error: "invalid_client",
    number: 7000215,
    text: `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
  });

export const wrongScope = (scope: string): WireReply =>
  entraError({
    status: 400,
    error: "invalid_scope",
    number: 1002012,
    text: `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
  });

export const unknownResource = (audience: string, tenantId: string): WireReply =>
  entraError({
    status: 400,
    error: "invalid_resource",
    number: 500011,
    text: `The resource principal named ${audience} was not found in the tenant named ${tenantId}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
  });

/** For whatever no other number is for. */
export const malformedRequest = (): WireReply =>
  entraError({
    status: 400,
    error: "invalid_request",
    number: 9002313,
    text: "Invalid request. Request is malformed or invalid.",
  });

export const onlyPost = (method: string): WireReply =>
  entraError({
    status: 400,
    error: "invalid_request",
    number: 900561,
    text: `The endpoint only accepts POST requests. Received a ${method} request.`,
  });
