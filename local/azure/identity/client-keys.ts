import { createHash, X509Certificate } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../store/json-table";

/** A certificate that an application may sign its assertions with. */
export interface ClientCertificate {
  readonly clientId: string;
  readonly pem: string;
  /** Upper-case hex, as the portal shows it. */
  readonly thumbprint: string;
  readonly thumbprintSha256: string;
  readonly validFrom: string;
  readonly validTo: string;
}

/** Tokens of another issuer that stand for the application: https://learn.microsoft.com/entra/workload-id/workload-identity-federation */
export interface FederatedCredential {
  readonly clientId: string;
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

const digest = (certificate: X509Certificate, algorithm: "sha1" | "sha256"): string =>
  createHash(algorithm).update(certificate.raw).digest("hex").toUpperCase();

/** What applications prove themselves with, other than secrets. */
export class ClientKeys {
  private readonly certificates: JsonTable<ClientCertificate>;
  private readonly federations: JsonTable<FederatedCredential>;

  constructor(database: DatabaseSync) {
    this.certificates = new JsonTable(database, "clientCertificates");
    this.federations = new JsonTable(database, "federatedCredentials");
  }

  addCertificate(clientId: string, pem: string): ClientCertificate {
    const certificate = new X509Certificate(pem);
    const thumbprint = digest(certificate, "sha1");
    return this.certificates.set(`${clientId} ${thumbprint}`.toLowerCase(), {
      clientId,
      pem: certificate.toString(),
      thumbprint,
      thumbprintSha256: digest(certificate, "sha256"),
      validFrom: new Date(certificate.validFrom).toISOString(),
      validTo: new Date(certificate.validTo).toISOString(),
    });
  }

  removeCertificate(clientId: string, thumbprint: string): boolean {
    return this.certificates.delete(`${clientId} ${thumbprint}`.toLowerCase());
  }

  /** By either thumbprint, in hex. */
  findCertificate(clientId: string, thumbprint: string): ClientCertificate | undefined {
    const wanted = thumbprint.toUpperCase();
    return this.certificates
      .values()
      .find(
        (one) =>
          one.clientId.toLowerCase() === clientId.toLowerCase() &&
          (one.thumbprint === wanted || one.thumbprintSha256 === wanted),
      );
  }

  addFederation(credential: FederatedCredential): FederatedCredential {
    return this.federations.set(`${credential.clientId} ${credential.name}`.toLowerCase(), credential);
  }

  federationsOf(clientId: string): FederatedCredential[] {
    return this.federations.values().filter((one) => one.clientId.toLowerCase() === clientId.toLowerCase());
  }
}
