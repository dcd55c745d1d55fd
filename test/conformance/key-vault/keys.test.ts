import {
  createHash,
  generateKeyPairSync,
  type JsonWebKey as NodeJwk,
  privateDecrypt,
  createPublicKey,
  publicEncrypt,
  constants,
  randomBytes,
} from "node:crypto";
import { CryptographyClient, type KeyClient, type KeyVaultKey } from "@azure/keyvault-keys";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { askVault } from "./vault-wire";
import {
  collect,
  createGroup,
  createVault,
  cryptographyOptions,
  keysOf,
  vaultCredentialOf,
  type VaultUnderTest,
} from "./vault-fixture";

let fixture: AzureFixture;
let vault: VaultUnderTest;
let keys: KeyClient;
let key: KeyVaultKey;

beforeAll(async () => {
  fixture = await startFixture();
  await createGroup(fixture);
  vault = await createVault(fixture);
  keys = keysOf(fixture, vault);
  key = await keys.createRsaKey("wrapping", { keySize: 2048 });
});
afterAll(() => stopFixture(fixture));

const HOUR_MS = 3_600_000;
const ALGORITHMS = ["RSA-OAEP", "RSA-OAEP-256", "RSA1_5"] as const;

const remote = (of: KeyVaultKey | string): CryptographyClient =>
  new CryptographyClient(
    typeof of === "string" ? of : (of.id ?? ""),
    vaultCredentialOf(fixture),
    cryptographyOptions(fixture),
  );

const publicKeyOf = ({ key: jwk }: KeyVaultKey) =>
  createPublicKey({
    key: {
      kty: "RSA",
      n: Buffer.from(jwk?.n ?? []).toString("base64url"),
      e: Buffer.from(jwk?.e ?? []).toString("base64url"),
    },
    format: "jwk",
  });

/** An operation in the vault itself: the client would do it with the public half. */
const ask = ({ id = "" }: KeyVaultKey, operation: string, body: object) =>
  askVault(fixture, {
    url: vault.url,
    path: `${new URL(id).pathname}/${operation}`,
    method: "POST",
    text: JSON.stringify(body),
  });

it.each(ALGORITHMS)(
  "unwraps by %s what OpenSSL has wrapped with the public half (@azure/keyvault-keys 4.10.2, node:crypto)",
  async (algorithm) => {
    const secret = randomBytes(32);
    const padding = algorithm === "RSA1_5" ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING;
    const oaepHash = algorithm === "RSA-OAEP-256" ? "sha256" : "sha1";
    const wrapped = publicEncrypt({ key: publicKeyOf(key), padding, oaepHash }, secret);

    const { result } = await remote(key).unwrapKey(algorithm, wrapped);

    expect(Buffer.from(result)).toEqual(secret);
  },
);

it("wraps in the vault what it unwraps again (@azure/keyvault-keys 4.10.2: CryptographyClient)", async () => {
  const secret = randomBytes(32);
  const { status, body } = await ask(key, "wrapkey", { alg: "RSA-OAEP-256", value: secret.toString("base64url") });

  const { result } = await remote(key).unwrapKey(
    "RSA-OAEP-256",
    Buffer.from((body as { value: string }).value, "base64url"),
  );

  expect(status).toBe(200);
  expect(Buffer.from(result)).toEqual(secret);
});

it("encrypts and decrypts, whichever side does it (@azure/keyvault-keys 4.10.2: CryptographyClient)", async () => {
  const text = Buffer.from("to whom it may concern");
  const { result } = await remote(key).encrypt({ algorithm: "RSA-OAEP", plaintext: text });

  const decrypted = await remote(key).decrypt({ algorithm: "RSA-OAEP", ciphertext: result });

  expect(Buffer.from(decrypted.result)).toEqual(text);
});

it("signs a digest, and knows its signature from another's (@azure/keyvault-keys 4.10.2: sign, verify)", async () => {
  const digest = createHash("sha256").update("signed").digest();
  const { result } = await remote(key).sign("RS256", digest);

  const good = await ask(key, "verify", {
    alg: "RS256",
    digest: digest.toString("base64url"),
    value: Buffer.from(result).toString("base64url"),
  });
  const bad = await ask(key, "verify", {
    alg: "RS256",
    digest: digest.toString("base64url"),
    value: randomBytes(256).toString("base64url"),
  });

  expect([good.body, bad.body]).toEqual([{ value: true }, { value: false }]);
  expect((await remote(key).verifyData("RS256", Buffer.from("signed"), result)).result).toBe(true);
});

it("takes a key made elsewhere (@azure/keyvault-keys 4.10.2: importKey)", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk: NodeJwk = privateKey.export({ format: "jwk" });
  const bytes = (part: string | undefined): Uint8Array => Buffer.from(part ?? "", "base64url");
  const parts = {
    n: bytes(jwk.n),
    e: bytes(jwk.e),
    d: bytes(jwk.d),
    p: bytes(jwk.p),
    q: bytes(jwk.q),
    dp: bytes(jwk.dp),
    dq: bytes(jwk.dq),
    qi: bytes(jwk.qi),
  };

  const imported = await keys.importKey("imported", { kty: "RSA", ...parts });
  const wrapped = publicEncrypt({ key: publicKey, oaepHash: "sha1" }, Buffer.from("k"));

  expect(Buffer.from((await remote(imported).unwrapKey("RSA-OAEP", wrapped)).result).toString()).toBe("k");
  expect(imported.key?.d).toBeUndefined();
});

it("rotates to a new version and still unwraps by the old one (@azure/keyvault-keys 4.10.2: rotateKey)", async () => {
  const first = await keys.createRsaKey("turning", { keySize: 2048, keyOps: ["wrapKey", "unwrapKey"] });
  const wrapped = publicEncrypt({ key: publicKeyOf(first), oaepHash: "sha1" }, Buffer.from("old"));

  const second = await keys.rotateKey("turning");
  const unwrapped = await remote(first).unwrapKey("RSA-OAEP", wrapped);
  const versions = await collect(keys.listPropertiesOfKeyVersions("turning"));

  expect(second.keyOperations).toEqual(["wrapKey", "unwrapKey"]);
  expect(Buffer.from(unwrapped.result).toString()).toBe("old");
  expect(versions.map(({ version }) => version)).toEqual([first.properties.version, second.properties.version]);
});

it("does with a key only what its operations name (Azure/azure-sdk-for-net#11518: KeyOperationForbidden)", async () => {
  const narrow = await keys.createRsaKey("narrow", { keyOps: ["unwrapKey"] });

  const refused = await ask(narrow, "decrypt", { alg: "RSA-OAEP", value: "AAAA" });

  expect(refused).toMatchObject({
    status: 403,
    body: {
      error: {
        code: "Forbidden",
        message: "Operation decrypt is not permitted on this key.",
        innererror: { code: "KeyOperationForbidden" },
      },
    },
  });
});

it("refuses all use of a disabled key (docs: About keys, attributes; innererror KeyDisabled)", async () => {
  const off = await keys.createRsaKey("off", { enabled: false });

  const refusals = await Promise.all(
    ["unwrapkey", "decrypt", "sign"].map((operation) => ask(off, operation, { alg: "RSA-OAEP", value: "AAAA" })),
  );

  expect(refusals.map(({ status }) => status)).toEqual([403, 403, 403]);
  expect(JSON.stringify(refusals[0]?.body)).toContain("KeyDisabled");
});

it("wraps with no expired or early key, and unwraps with both (docs: About keys, Date-time controlled operations)", async () => {
  const times = [{ expiresOn: new Date(Date.now() - HOUR_MS) }, { notBefore: new Date(Date.now() + HOUR_MS) }];
  const timed = [await keys.createRsaKey("late", times[0]), await keys.createRsaKey("early", times[1])];

  const wraps = await Promise.all(timed.map((one) => ask(one, "wrapkey", { alg: "RSA-OAEP", value: "AAAA" })));
  const unwraps = await Promise.all(
    timed.map((one) =>
      ask(one, "unwrapkey", {
        alg: "RSA-OAEP",
        value: publicEncrypt({ key: publicKeyOf(one), oaepHash: "sha1" }, Buffer.from("k")).toString("base64url"),
      }),
    ),
  );

  expect(wraps.map(({ status }) => status)).toEqual([403, 403]);
  expect(unwraps.map(({ status }) => status)).toEqual([200, 200]);
});

it("never shows a private part, deleted or not (@azure/keyvault-keys 4.10.2: getKey, getDeletedKey)", async () => {
  await keys.createRsaKey("secretive");
  const shown = [await keys.getKey("secretive")];
  await (await keys.beginDeleteKey("secretive")).pollUntilDone();
  shown.push(await keys.getDeletedKey("secretive"));

  const parts = shown.map(({ key: jwk }) =>
    Object.entries(jwk ?? {})
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name)
      .sort(),
  );

  expect(parts).toEqual([
    ["e", "keyOps", "kid", "kty", "n"],
    ["e", "keyOps", "kid", "kty", "n"],
  ]);
});

it("brings a deleted key back as it was (@azure/keyvault-keys 4.10.2: beginRecoverDeletedKey)", async () => {
  const made = await keys.createRsaKey("back");
  const wrapped = publicEncrypt({ key: publicKeyOf(made), oaepHash: "sha1" }, Buffer.from("k"));
  await (await keys.beginDeleteKey("back")).pollUntilDone();
  await expect(remote(made).unwrapKey("RSA-OAEP", wrapped)).rejects.toMatchObject({
    statusCode: 404,
    code: "KeyNotFound",
  });

  await (await keys.beginRecoverDeletedKey("back")).pollUntilDone();

  expect(Buffer.from((await remote(made).unwrapKey("RSA-OAEP", wrapped)).result).toString()).toBe("k");
});

it("says BadParameter of what cannot be decrypted, of an unknown algorithm, and of a key type that is not simulated (docs: REST error codes)", async () => {
  const refusals = [
    await ask(key, "unwrapkey", { alg: "RSA-OAEP", value: randomBytes(256).toString("base64url") }),
    await ask(key, "unwrapkey", { alg: "A128KW", value: "AAAA" }),
  ];

  expect(refusals.map(({ status }) => status)).toEqual([400, 400]);
  await expect(keys.createEcKey("curve")).rejects.toMatchObject({ statusCode: 400, code: "BadParameter" });
});

it("answers what it encrypts in the vault in a form that only the private half reads (node:crypto)", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { body } = await ask(key, "encrypt", { alg: "RSA-OAEP", value: Buffer.from("x").toString("base64url") });

  const reading = () =>
    privateDecrypt({ key: privateKey, oaepHash: "sha1" }, Buffer.from((body as { value: string }).value, "base64url"));

  expect(reading).toThrow();
});
