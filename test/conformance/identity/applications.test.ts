import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { call, TENANT } from "../../local/azure/wire";
import { makeCertificate, type TestCertificate } from "./certificates";
import { API, ARM_SCOPE, askToken, authorityOf, claimsOf, numberOf, postForm } from "./sign-in";

let fixture: AzureFixture;
let certificate: TestCertificate;
beforeAll(async () => {
  fixture = await startFixture();
  certificate = await makeCertificate();
  fixture.azure.registerCertificate(fixture.owner.clientId, certificate.certificatePem);
});
afterAll(() => stopFixture(fixture));

const secretFields = (): Record<string, string> => ({
  grant_type: "client_credentials",
  client_id: fixture.owner.clientId,
  client_secret: fixture.owner.clientSecret,
  scope: ARM_SCOPE,
});

it("signs an application in with a secret (@azure/identity 4.14.1, ClientSecretCredential)", async () => {
  const { clientId, clientSecret, objectId } = fixture.owner;
  const credential = new ClientSecretCredential(TENANT, clientId, clientSecret, authorityOf(fixture));

  const { token, expiresOnTimestamp } = await credential.getToken(ARM_SCOPE);

  expect(claimsOf(token)).toMatchObject({ appid: clientId, oid: objectId, appidacr: "1", idtyp: "app" });
  expect(expiresOnTimestamp).toBeGreaterThan(Date.now() + 3_000_000);
});

it("tells the official credential why a secret is refused (@azure/identity 4.14.1, AuthenticationRequiredError)", async () => {
  const credential = new ClientSecretCredential(TENANT, fixture.owner.clientId, "wrong", authorityOf(fixture));

  await expect(credential.getToken(ARM_SCOPE)).rejects.toThrow(/AADSTS7000215/);
});

it("signs an application in with a certificate (@azure/identity 4.14.1, ClientCertificateCredential)", async () => {
  const pem = `${certificate.certificatePem}${certificate.privateKeyPem}`;
  const credential = new ClientCertificateCredential(
    TENANT,
    fixture.owner.clientId,
    { certificate: pem },
    authorityOf(fixture),
  );

  const { token } = await credential.getToken(ARM_SCOPE);

  expect(claimsOf(token)).toMatchObject({ appid: fixture.owner.clientId, appidacr: "2" });
});

it("refuses a certificate that nobody registered (@azure/identity 4.14.1, AADSTS700027)", async () => {
  const other = await makeCertificate();
  const pem = `${other.certificatePem}${other.privateKeyPem}`;
  const credential = new ClientCertificateCredential(
    TENANT,
    fixture.owner.clientId,
    { certificate: pem },
    authorityOf(fixture),
  );

  await expect(credential.getToken(ARM_SCOPE)).rejects.toThrow(/AADSTS700027/);
});

interface Assertion {
  readonly signer?: TestCertificate;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly seconds?: number;
  /** SHA-1 as older clients send it, SHA-256 as newer ones do. */
  readonly hash?: "sha1" | "sha256";
}

async function assertionOf({ signer = certificate, claims = {}, seconds = 300, hash = "sha256" }: Assertion = {}) {
  const { raw } = new X509Certificate(certificate.certificatePem);
  const thumbprint = createHash(hash).update(raw).digest("base64url");
  const { clientId } = fixture.owner;
  const audience = `${fixture.azure.armUrl}/${TENANT}/oauth2/v2.0/token`;
  return new SignJWT({ iss: clientId, sub: clientId, aud: audience, jti: "1", ...claims })
    .setProtectedHeader({ alg: "RS256", [hash === "sha1" ? "x5t" : "x5t#S256"]: thumbprint })
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(createPrivateKey(signer.privateKeyPem));
}

const askWithAssertion = async (assertion: string, more: Readonly<Record<string, string>> = {}) =>
  askToken(fixture, {
    grant_type: "client_credentials",
    client_id: fixture.owner.clientId,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
    scope: ARM_SCOPE,
    ...more,
  });

it("takes an assertion that the caller signs itself (@azure/identity 4.14.1, ClientAssertionCredential)", async () => {
  const { clientId } = fixture.owner;
  const credential = new ClientAssertionCredential(TENANT, clientId, () => assertionOf(), authorityOf(fixture));

  const { token } = await credential.getToken(ARM_SCOPE);

  expect(claimsOf(token)).toMatchObject({ appid: clientId, appidacr: "2" });
});

it("finds the certificate by its SHA-1 thumbprint too (docs: certificate credentials, x5t)", async () => {
  const { status } = await askWithAssertion(await assertionOf({ hash: "sha1" }));

  expect(status).toBe(200);
});

it("refuses an assertion that another key signed (docs: AADSTS700027)", async () => {
  const reply = await askWithAssertion(await assertionOf({ signer: await makeCertificate() }));

  expect([reply.status, numberOf(reply)]).toEqual([401, 700027]);
});

it.each([
  { what: "has ended", assertion: { seconds: -900 }, number: 700024, status: 401 },
  { what: "is of another application", assertion: { claims: { sub: "another" } }, number: 700021, status: 401 },
  { what: "is meant for another", assertion: { claims: { aud: "https://example.com" } }, number: 700023, status: 401 },
])("refuses an assertion that $what (docs: AADSTS$number)", async ({ assertion, number, status }) => {
  const reply = await askWithAssertion(await assertionOf(assertion));

  expect([reply.status, numberOf(reply)]).toEqual([status, number]);
});

it("refuses what is no assertion at all (docs: AADSTS50027 InvalidJwtToken)", async () => {
  const reply = await askWithAssertion("not.a.token");

  expect([reply.status, numberOf(reply)]).toEqual([400, 50027]);
});

it("refuses a registered certificate whose time is over (docs: AADSTS700027, the key used is expired)", async () => {
  const old = await makeCertificate({ from: -30, to: -1 });
  const client = fixture.azure.addServicePrincipal({ displayName: "old" });
  fixture.azure.registerCertificate(client.clientId, old.certificatePem);
  const pem = `${old.certificatePem}${old.privateKeyPem}`;
  const credential = new ClientCertificateCredential(
    TENANT,
    client.clientId,
    { certificate: pem },
    authorityOf(fixture),
  );

  await expect(credential.getToken(ARM_SCOPE)).rejects.toThrow(/AADSTS700027.*expired/);
});

it("asks for a proof (docs: AADSTS7000216)", async () => {
  const { client_secret: _secret, ...without } = secretFields();

  const reply = await askToken(fixture, without);

  expect([reply.status, numberOf(reply)]).toEqual([401, 7000216]);
});

it("takes the secret from the Authorization header too (RFC 6749, 2.3.1)", async () => {
  const { clientId, clientSecret } = fixture.owner;
  const basic = Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString("base64");

  const reply = await postForm(fixture, `/${TENANT}/oauth2/v2.0/token`, {
    fields: { grant_type: "client_credentials", scope: ARM_SCOPE },
    headers: { Authorization: `Basic ${basic}` },
  });

  expect(reply.status).toBe(200);
});

it("does not let an application sign in without naming its tenant (docs: AADSTS50059)", async () => {
  const reply = await askToken(fixture, secretFields(), "common");

  expect([reply.status, numberOf(reply)]).toEqual([400, 50059]);
});

it("answers a version 1 request with a resource and text (docs: v1 token endpoint, adal)", async () => {
  const { scope: _scope, ...fields } = secretFields();

  const { body } = await postForm(fixture, `/${TENANT}/oauth2/token`, {
    fields: { ...fields, resource: "https://management.core.windows.net/" },
  });

  expect(body).toMatchObject({
    resource: "https://management.core.windows.net/",
    expires_in: expect.stringMatching(/^\d+$/) as unknown,
    expires_on: expect.stringMatching(/^\d+$/) as unknown,
  });
});

it("puts asked for claims into the token (docs: claims challenge, authentication context)", async () => {
  const claims = JSON.stringify({
    access_token: { acrs: { essential: true, value: "c1" }, xms_cc: { values: ["CP1"] } },
  });

  const { body } = await askToken(fixture, { ...secretFields(), claims });

  expect(claimsOf((body as { access_token: string }).access_token)).toMatchObject({ acrs: ["c1"], xms_cc: ["CP1"] });
});

it("shows the app roles of an application in tokens for the API alone (docs: app roles)", async () => {
  const { clientId, clientSecret } = fixture.azure.addServicePrincipal({ displayName: "admin", roles: ["Admin"] });
  const fields = { ...secretFields(), client_id: clientId, client_secret: clientSecret };
  const ask = async (scope: string) => {
    const { body } = await askToken(fixture, { ...fields, scope });
    return claimsOf((body as { access_token: string }).access_token)["roles"];
  };

  expect([await ask(`${API}/.default`), await ask(ARM_SCOPE)]).toEqual([["Admin"], undefined]);
});

/** Another issuer: a cluster, or a build server. */
async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  const server = createServer((request, response) => {
    const isKeys = request.url === "/keys";
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(isKeys ? { keys: [jwk] } : { issuer: issuer(), jwks_uri: `${issuer()}/keys` }));
  });
  const issuer = (): string => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sign = (subject: string): Promise<string> =>
    new SignJWT({})
      .setProtectedHeader({ alg: "RS256", kid: "k1" })
      .setIssuer(issuer())
      .setSubject(subject)
      .setAudience("api://AzureADTokenExchange")
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(privateKey);
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { issuer: issuer(), sign, close };
}

it("trusts the token of a registered issuer and subject (@azure/identity 4.14.1, WorkloadIdentityCredential)", async () => {
  const { issuer, sign, close } = await startIssuer();
  const folder = mkdtempSync(join(tmpdir(), "corral-federation-"));
  const tokenFilePath = join(folder, "token");
  const { clientId, objectId } = fixture.azure.addServicePrincipal({ displayName: "workload" });
  const subject = "system:serviceaccount:default:workload";
  const audience = "api://AzureADTokenExchange";
  fixture.azure.registerFederatedCredential({ clientId, name: "cluster", issuer, subject, audience });
  const ask = (): Promise<{ token: string }> => {
    const options = { tenantId: TENANT, clientId, tokenFilePath, ...authorityOf(fixture) };
    return new WorkloadIdentityCredential(options).getToken(ARM_SCOPE);
  };

  try {
    writeFileSync(tokenFilePath, await sign(subject));
    const { token } = await ask();
    writeFileSync(tokenFilePath, await sign("system:serviceaccount:default:other"));
    const other = await ask().catch(String);

    expect(claimsOf(token)["oid"]).toBe(objectId);
    expect(other).toMatch(/AADSTS700213/);
  } finally {
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
});

it("lets the certificate's application act in ARM (docs: role-based access, @azure/identity 4.14.1)", async () => {
  const { body } = await askWithAssertion(await assertionOf());
  const { access_token: token } = body as { access_token: string };

  const reply = await call(fixture, { path: "/subscriptions", headers: { Authorization: `Bearer ${token}` } });

  expect(reply.status).toBe(200);
});
