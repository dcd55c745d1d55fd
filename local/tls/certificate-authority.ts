import "./metadata-reflection";
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

/** What a TLS server of the embedded stack needs, and what its clients must trust. */
export interface LocalTls {
  /** For NODE_EXTRA_CA_CERTS, which Node reads only when a process starts. */
  readonly caFile: string;
  readonly caPem: string;
  readonly key: string;
  readonly cert: string;
}

interface Issued {
  readonly keyPem: string;
  readonly certPem: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const CA_DAYS = 3650;
// Apple's and some other TLS stacks refuse server certificates that are valid for longer than 825 days.
const SERVER_DAYS = 397;
const RENEW_BEFORE_MS = 30 * DAY_MS;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const SERVER_NAMES: x509.JsonGeneralNames = [
  { type: "dns", value: "localhost" },
  { type: "dns", value: "*.localhost" },
  { type: "dns", value: "*.vault.localhost" },
  { type: "ip", value: "127.0.0.1" },
];

/** The local authority of a folder and its server certificate; made at the first start, renewed when their end is near. */
export async function loadOrCreateCa(folder: string, now: Date = new Date()): Promise<LocalTls> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const storedCa = await load(folder, "local-ca");
  const ca = storedCa && isUsable(storedCa, now) ? storedCa : await save(folder, "local-ca", await issueCa(now));
  const storedServer = await load(folder, "server");
  const server =
    storedServer && isUsable(storedServer, now) && isIssuedBy(storedServer, ca)
      ? storedServer
      : await save(folder, "server", await issueServer(ca, now));
  return { caFile: join(folder, "local-ca.pem"), caPem: ca.certPem, key: server.keyPem, cert: server.certPem };
}

async function issueCa(now: Date): Promise<Issued> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=Corral local CA",
      keys,
      signingAlgorithm: ALGORITHM,
      ...validity(now, CA_DAYS),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return toPem(certificate, keys.privateKey);
}

async function issueServer(ca: Issued, now: Date): Promise<Issued> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const issuer = new x509.X509Certificate(ca.certPem);
  const der = createPrivateKey(ca.keyPem).export({ format: "der", type: "pkcs8" });
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: "CN=localhost",
      issuer: issuer.subject,
      publicKey: keys.publicKey,
      signingKey: await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]),
      signingAlgorithm: ALGORITHM,
      ...validity(now, SERVER_DAYS),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(SERVER_NAMES),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return toPem(certificate, keys.privateKey);
}

// An hour of slack, since a laptop's clock may be set back.
const validity = (now: Date, days: number) => ({
  notBefore: new Date(now.getTime() - 60 * 60 * 1000),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

async function toPem(certificate: x509.X509Certificate, privateKey: webcrypto.CryptoKey): Promise<Issued> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  const keyPem = createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
  return { certPem: `${certificate.toString("pem")}\n`, keyPem: keyPem.toString() };
}

function isUsable({ certPem, keyPem }: Issued, now: Date): boolean {
  try {
    const certificate = new X509Certificate(certPem);
    const endsAt = Date.parse(certificate.validTo);
    return endsAt - now.getTime() > RENEW_BEFORE_MS && certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    // A file that was cut short by a crash is as good as none: a new one is made.
    return false;
  }
}

const isIssuedBy = (server: Issued, ca: Issued): boolean =>
  new X509Certificate(server.certPem).verify(new X509Certificate(ca.certPem).publicKey);

async function load(folder: string, name: string): Promise<Issued | undefined> {
  try {
    const [certPem, keyPem] = await Promise.all([
      readFile(join(folder, `${name}.pem`), "utf8"),
      readFile(join(folder, `${name}.key`), "utf8"),
    ]);
    return { certPem, keyPem };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function save(folder: string, name: string, issued: Issued): Promise<Issued> {
  await writeWhole(join(folder, `${name}.key`), issued.keyPem, 0o600);
  await writeWhole(join(folder, `${name}.pem`), issued.certPem, 0o644);
  return issued;
}

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const partial = `${file}.${String(process.pid)}.part`;
  await writeFile(partial, text, { mode });
  await rename(partial, file);
}
