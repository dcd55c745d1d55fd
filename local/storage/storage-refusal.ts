import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { StorageService } from "./azurite-servers";

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Each refusal of the data plane once: https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes */

export const NO_AUTHENTICATION: Refusal = {
  status: 401,
  code: "NoAuthenticationInformation",
  message: "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
};

export const BAD_TOKEN: Refusal = {
  status: 401,
  code: "InvalidAuthenticationInfo",
  message: "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
};

export const PERMISSION_MISMATCH: Refusal = {
  status: 403,
  code: "AuthorizationPermissionMismatch",
  message: "This request is not authorized to perform this operation using this permission.",
};

export const BAD_SIGNATURE: Refusal = {
  status: 403,
  code: "AuthenticationFailed",
  message:
    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
};

export const NO_KEYS: Refusal = {
  status: 403,
  code: "KeyBasedAuthenticationNotPermitted",
  message: "Key based authentication is not permitted on this storage account.",
};

/** In Azure its host name would not resolve. */
export const NO_ACCOUNT: Refusal = {
  status: 404,
  code: "ResourceNotFound",
  message: "The specified resource does not exist.",
};

export const UNSUPPORTED: Refusal = {
  status: 400,
  code: "UnsupportedHttpVerb",
  message: "The resource doesn't support the specified HTTP verb.",
};

export const BAD_URI: Refusal = {
  status: 400,
  code: "InvalidUri",
  message: "The requested URI does not represent any resource on the server.",
};

export const TOO_LARGE: Refusal = {
  status: 413,
  code: "RequestBodyTooLarge",
  message: "The request body is too large and exceeds the maximum permissible limit.",
};

export const NO_COPY_SOURCE: Refusal = {
  status: 404,
  code: "CannotVerifyCopySource",
  message: "The specified resource does not exist.",
};

export const COPY_SOURCE_DENIED: Refusal = { ...NO_COPY_SOURCE, status: 403, message: PERMISSION_MISMATCH.message };

export interface Refuser {
  readonly service: StorageService;
  /** `https://localhost:5000/<tenant>`: where clients are sent for a token. */
  readonly tokenAuthority: () => string;
}

export function refuse(response: ServerResponse, { service, tokenAuthority }: Refuser, refusal: Refusal): void {
  const { status, code, headers = {} } = refusal;
  const where = `authorization_uri=${tokenAuthority()}/oauth2/authorize resource_id=https://storage.azure.com`;
  const challenge = status === 401 ? { "www-authenticate": `Bearer ${where}` } : {};
  const requestId = randomUUID();
  const message = `${refusal.message}\nRequestId:${requestId}\nTime:${new Date().toISOString()}`;
  const [type, body] =
    service === "table"
      ? ["application/json;odata=minimalmetadata", odataError(code, message)]
      : ["application/xml", xmlError(code, message)];
  response.writeHead(status, {
    "content-type": type,
    "x-ms-error-code": code,
    "x-ms-request-id": requestId,
    ...challenge,
    ...headers,
    // What the client still sends is not read any more.
    connection: "close",
  });
  response.end(body);
}

const odataError = (code: string, message: string): string =>
  JSON.stringify({ "odata.error": { code, message: { lang: "en-US", value: message } } });

const xmlError = (code: string, message: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><Error><Code>${escaped(code)}</Code><Message>${escaped(message)}</Message></Error>`;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
