import { X509Certificate } from "node:crypto";
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from "jose";
import { checkTimes } from "./assertion-times";
import type { ClientAuthenticationOptions } from "./client-authentication";
import type { Client } from "./clients";
import { checkFederation } from "./federation";
import {
  assertionForAnother,
  assertionOfAnother,
  certificateOutOfTime,
  malformedAssertion,
  unknownCertificate,
  wrongAssertionSignature,
} from "./sign-in-errors";

const ALGORITHMS = ["RS256", "PS256"];

/** A client signs a statement with its certificate's key: https://learn.microsoft.com/entra/identity-platform/certificate-credentials */
export async function checkAssertion(
  { directory, audiences }: ClientAuthenticationOptions,
  client: Client,
  assertion: string,
): Promise<void> {
  const { header, claims } = decode(assertion);
  const thumbprint = thumbprintOf(header);
  if (!thumbprint && claims.iss !== client.clientId) return checkFederation(directory, client, { assertion, claims });
  const certificate = directory.clientKeys.findCertificate(client.clientId, thumbprint ?? "");
  if (!certificate) throw unknownCertificate(client.clientId, thumbprint);
  await checkSignature(assertion, { pem: certificate.pem, clientId: client.clientId, thumbprint: thumbprint ?? "" });
  if (Date.parse(certificate.validTo) < Date.now() || Date.parse(certificate.validFrom) > Date.now())
    throw certificateOutOfTime(certificate.thumbprint, certificate.validFrom, certificate.validTo);
  checkTimes(claims);
  if (!isSame(claims.iss, client.clientId) || !isSame(claims.sub, client.clientId)) throw assertionOfAnother();
  const meantFor = [claims.aud ?? []].flat();
  if (!meantFor.some((audience) => audiences().includes(audience))) throw assertionForAnother();
}

const isSame = (claim: unknown, text: string): boolean =>
  typeof claim === "string" && claim.toLowerCase() === text.toLowerCase();

function decode(assertion: string): { header: ProtectedHeaderParameters; claims: JWTPayload } {
  try {
    return { header: decodeProtectedHeader(assertion), claims: decodeJwt(assertion) };
  } catch {
    // jose's errors say nothing that the client does not know.
    throw malformedAssertion("It cannot be decoded.");
  }
}

/** Of SHA-256 (`x5t#S256`) or of SHA-1 (`x5t`); in hex. Some clients write the latter into `kid`, in hex already. */
function thumbprintOf(header: ProtectedHeaderParameters): string | undefined {
  const encoded = [header["x5t#S256"], header.x5t].find((one) => typeof one === "string" && one !== "");
  if (typeof encoded === "string") return Buffer.from(encoded, "base64url").toString("hex").toUpperCase();
  const { kid } = header;
  return kid && /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(kid) ? kid.toUpperCase() : undefined;
}

async function checkSignature(
  assertion: string,
  { pem, clientId, thumbprint }: { pem: string; clientId: string; thumbprint: string },
): Promise<void> {
  try {
    // The times are judged afterwards, as they have a refusal of their own.
    await jwtVerify(assertion, new X509Certificate(pem).publicKey, {
      algorithms: ALGORITHMS,
      currentDate: new Date(0),
    });
  } catch (error) {
    if (error instanceof errors.JWTClaimValidationFailed) return;
    if (error instanceof errors.JOSEAlgNotAllowed) throw malformedAssertion("Its algorithm is none of RS256, PS256.");
    if (error instanceof errors.JOSEError) throw wrongAssertionSignature(clientId, thumbprint);
    throw error;
  }
}
