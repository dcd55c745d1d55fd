import { entraError, EntraRefusal } from "./entra-errors";

/** Refusals of client assertions, of users' grants and of the sign-in page, by the numbers of Entra's error reference. */
type Refuse = (...about: (string | undefined)[]) => EntraRefusal;

const refusal = (error: string, number: number, text: string): EntraRefusal =>
  new EntraRefusal(entraError({ status: 400, error, number, text }));
const invalidGrant = (number: number, text: string): EntraRefusal => refusal("invalid_grant", number, text);
const invalidClient = (number: number, text: string): EntraRefusal =>
  new EntraRefusal(entraError({ status: 401, error: "invalid_client", number, text }));

export const noTenantNamed: Refuse = () =>
  refusal(
    "invalid_request",
    50059,
    "No tenant-identifying information found in either the request or implied by any provided credentials.",
  );

export const noClientProof: Refuse = () =>
  invalidClient(
    7000216,
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  );

export const clientMustProve: Refuse = () =>
  invalidClient(
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  );

export const clientIsPublic: Refuse = () =>
  invalidClient(700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.");

export const wrongAssertionType: Refuse = () =>
  refusal(
    "invalid_request",
    900144,
    "The request body must contain the following parameter: 'client_assertion_type' with the value 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'.",
  );

export const malformedAssertion: Refuse = (reason = "") =>
  refusal("invalid_request", 50027, `JWT token is invalid or malformed. ${reason}`.trim());

export const unknownCertificate: Refuse = (clientId = "", thumbprint = "") =>
  invalidClient(
    700027,
    `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '${thumbprint}', application '${clientId}']`,
  );

export const wrongAssertionSignature: Refuse = (clientId = "", thumbprint = "") =>
  invalidClient(
    700027,
    `Client assertion failed signature validation. [Reason - The key was found, but its use to verify the signature failed., Thumbprint of key used by client: '${thumbprint}', application '${clientId}']`,
  );

export const certificateOutOfTime: Refuse = (thumbprint = "", from = "", to = "") =>
  invalidClient(
    700027,
    `The certificate with identifier used to sign the client assertion is expired on application. [Reason - The key used is expired., Thumbprint of key used by client: '${thumbprint}', Found key 'Start=${from}, End=${to}']`,
  );

export const assertionOutOfTime: Refuse = (now = "", expiry = "") =>
  invalidClient(
    700024,
    `Client assertion is not within its valid time range. Current time: ${now}, expiry time of assertion ${expiry}.`,
  );

export const assertionOfAnother: Refuse = () =>
  invalidClient(700021, "Client assertion application identifier doesn't match 'client_id' parameter.");

export const assertionForAnother: Refuse = () =>
  invalidClient(700023, "Client assertion audience claim does not match Realm issuer.");

export const noFederationForIssuer: Refuse = (issuer = "") =>
  invalidClient(
    700211,
    `No matching federated identity record found for presented assertion issuer '${issuer}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.`,
  );

export const noFederationForAudience: Refuse = (audience = "") =>
  invalidClient(
    700212,
    `No matching federated identity record found for presented assertion audience '${audience}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.`,
  );

export const noFederationForSubject: Refuse = (subject = "") =>
  invalidClient(
    700213,
    `No matching federated identity record found for presented assertion subject '${subject}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.`,
  );

export const noUserForPrincipal: Refuse = (user = "", tenantId = "") =>
  invalidGrant(50034, `The user account ${user} does not exist in the ${tenantId} directory.`);

export const wrongCode: Refuse = () =>
  invalidGrant(70000, "The provided value for the input parameter 'code' is not valid.");

export const codeExpired: Refuse = () =>
  invalidGrant(70008, "The provided authorization code or refresh token has expired due to inactivity.");

export const codeRedeemed: Refuse = () =>
  invalidGrant(54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code.");

export const codeOfAnother: Refuse = () =>
  invalidGrant(700005, "The provided authorization code was issued to another client or for another tenant.");

export const wrongVerifier: Refuse = () =>
  invalidGrant(501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.");

export const redirectDiffers: Refuse = (given = "") =>
  invalidGrant(
    500112,
    `The reply address '${given}' does not match the reply address provided when requesting Authorization code.`,
  );

export const wrongRefreshToken: Refuse = () =>
  invalidGrant(9002313, "Invalid request. Request is malformed or invalid.");

export const refreshTokenOld: Refuse = () => invalidGrant(700082, "The refresh token has expired due to inactivity.");

export const grantRevoked: Refuse = () =>
  invalidGrant(
    50173,
    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
  );

export const refreshTokenOfAnother: Refuse = () =>
  invalidGrant(70000, "The provided value for the input parameter 'refresh_token' was issued to another client.");

export const invalidUserScope: Refuse = (scope = "") =>
  refusal(
    "invalid_scope",
    70011,
    `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
  );

export const severalResources: Refuse = () =>
  refusal(
    "invalid_request",
    28000,
    "Provided value for the input parameter scope is not valid because it contains more than one resource.",
  );

export const notConsented: Refuse = (scope = "", clientId = "") =>
  invalidGrant(
    65001,
    `The user or administrator has not consented to use the application with ID '${clientId}' for the permission ${scope}. Send an interactive authorization request for this user and resource.`,
  );

export const authorizationPending: Refuse = () =>
  refusal("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.");

export const slowDown: Refuse = () =>
  refusal("slow_down", 70017, "OAuth 2.0 device flow error. The client polls too often. Poll less often.");

export const authorizationDeclined: Refuse = () =>
  refusal(
    "authorization_declined",
    70019,
    "OAuth 2.0 device flow error. The end user declined the authorization request.",
  );

export const deviceCodeExpired: Refuse = () =>
  refusal(
    "expired_token",
    70020,
    "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
  );

export const wrongDeviceCode: Refuse = () =>
  refusal("bad_verification_code", 7000014, "The provided value for the input parameter 'device_code' is not valid.");

export const redirectNotRegistered: Refuse = (redirectUri = "", clientId = "") =>
  refusal(
    "invalid_request",
    50011,
    `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the application '${clientId}'.`,
  );

export const pkceWrong: Refuse = () =>
  refusal(
    "invalid_request",
    501491,
    "Invalid size or method of Code_Challenge parameter: S256 or plain, 43 to 128 characters.",
  );

export const signInNeeded: Refuse = () =>
  refusal("login_required", 50058, "A silent sign-in request was sent but no user is signed in.");

export const userDeclined: Refuse = () =>
  refusal("access_denied", 65004, "User declined to consent to access the app.");

export const responseTypeUnknown: Refuse = (given = "") =>
  refusal("unsupported_response_type", 700054, `response_type '${given}' is not enabled for the application.`);
