import { z } from "zod";
import type { VaultPlane } from "../../../vault/vault-plane";
import { createKey } from "../../../vault/keys";
import { bitsOf } from "../../../vault/rsa";
import { setSecret, updateSecret } from "../../../vault/secrets";
import { VaultError, type ObjectKind } from "../../../vault/vault-error";
import type { VaultRequest } from "../../../vault/vault-request";
import type { StoredVersion } from "../../../vault/vault-store";
import type { WireReply } from "../../http/wire";
import { ArmError } from "../arm-error";
import { parentNotFound } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { parseBody } from "../parse-body";
import { requireGroup } from "../resource-access";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import type { JsonObject, StoredResource } from "../resource-store";
import { instanceOf, VAULT_TYPE } from "./hosted-vaults";
import { vaultObjectNotFound } from "./vault-errors";

const SECRETS = `${VAULT_TYPE}/secrets`;
const KEYS = `${VAULT_TYPE}/keys`;
/** More than any estate declares; templates that list vaults with more are not what this is for. */
const MAX_LISTED = 1000;

const Tags = z.record(z.string(), z.string()).optional();
const Attributes = z.looseObject({
  enabled: z.boolean().optional(),
  nbf: z.number().optional(),
  exp: z.number().optional(),
});
const SecretBody = z.looseObject({
  tags: Tags,
  properties: z.looseObject({
    value: z.string().optional(),
    contentType: z.string().optional(),
    attributes: Attributes.optional(),
  }),
});
const KeyBody = z.looseObject({
  tags: Tags,
  properties: z.looseObject({
    kty: z.string().optional(),
    keySize: z.number().optional(),
    keyOps: z.array(z.string()).optional(),
    attributes: Attributes.optional(),
  }),
});

interface Parts {
  readonly world: CloudWorld;
  readonly plane: VaultPlane;
}

/** Secrets and keys as templates declare them: the rights are those of the control plane, and no value is ever answered. */
export function createVaultObjectRoutes(parts: Parts): ArmRoute[] {
  const secrets = ["group", SECRETS] as const;
  const keys = ["group", KEYS] as const;
  return [
    itemRoute("PUT", secrets, (request) => putSecret(parts, request)),
    itemRoute("PATCH", secrets, (request) => patchSecret(parts, request)),
    itemRoute("GET", secrets, (request) => getObject(parts, request, "secret")),
    listRoute(secrets, (request) => listObjects(parts, request, "secret")),
    itemRoute("PUT", keys, (request) => putKey(parts, request)),
    itemRoute("GET", keys, (request) => getObject(parts, request, "key")),
    listRoute(keys, (request) => listObjects(parts, request, "key")),
    itemRoute("GET", ["group", `${KEYS}/versions`], (request) => getObject(parts, request, "key")),
    listRoute(["group", `${KEYS}/versions`], (request) => listKeyVersions(parts, request)),
  ];
}

interface Place {
  readonly vault: StoredResource;
  readonly name: string;
  readonly request: VaultRequest;
}

/** The vault of a request, and the request as the vault's own data plane would get it. */
function placeOf({ world, plane }: Parts, { path, caller, ...request }: ArmRequest, kind: ObjectKind): Place {
  requireGroup(world, { ...request, caller, path });
  const [vaultName = "", name = "", version] = path.names;
  const id = path.id.replace(/(\/providers\/Microsoft\.KeyVault\/vaults\/[^/]+)\/.*$/i, "$1");
  const vault = world.resources.get(id);
  if (!vault) throw parentNotFound(`${VAULT_TYPE}/${vaultName}`);
  const facts = plane.factsOf(instanceOf(vault));
  if (!facts) throw parentNotFound(`${VAULT_TYPE}/${vaultName}`);
  const wire = { method: "", path: "", query: new URLSearchParams(), headers: {}, body: Buffer.alloc(0) };
  const nowSeconds = Math.floor(Date.now() / 1000);
  const by = { objectId: caller.objectId, appId: caller.appId, issuer: String(caller.claims["iss"]) };
  return {
    vault,
    name,
    request: { vault: facts, store: plane.store, caller: by, wire, kind, name, version, nowSeconds },
  };
}

const withBody = (request: VaultRequest, body: unknown): VaultRequest => ({
  ...request,
  wire: { ...request.wire, body: Buffer.from(JSON.stringify(body)) },
});

async function putSecret(parts: Parts, request: ArmRequest): Promise<ArmReply> {
  const place = placeOf(parts, request, "secret");
  const { tags, properties } = parseBody(SecretBody, request.body);
  const isNew = current(place) === undefined;
  const { value = "", contentType, attributes } = properties;
  await inVault(() => setSecret(withBody(place.request, { value, contentType, attributes, tags })));
  return { status: isNew ? 201 : 200, body: objectView(place, requireCurrent(place)) };
}

/** A new value is a new version; without one, the newest version's attributes change. */
async function patchSecret(parts: Parts, request: ArmRequest): Promise<ArmReply> {
  const place = placeOf(parts, request, "secret");
  const known = requireCurrent(place);
  const { tags, properties } = parseBody(SecretBody, request.body);
  const { value, contentType, attributes } = properties;
  await inVault(() =>
    value === undefined
      ? updateSecret(withBody(place.request, { contentType, attributes, tags }))
      : setSecret(withBody(place.request, { value, contentType, attributes, tags: tags ?? known.tags })),
  );
  return { status: 200, body: objectView(place, requireCurrent(place)) };
}

/** A key that is there already stays as it is: a template that is deployed twice must not rotate it. */
async function putKey(parts: Parts, request: ArmRequest): Promise<ArmReply> {
  const place = placeOf(parts, request, "key");
  const { tags, properties } = parseBody(KeyBody, request.body);
  const { kty = "", keySize: key_size, keyOps: key_ops, attributes } = properties;
  if (!current(place))
    await inVault(() => createKey(withBody(place.request, { kty, key_size, key_ops, attributes, tags })));
  return { status: 200, body: objectView(place, requireCurrent(place)) };
}

function getObject(parts: Parts, request: ArmRequest, kind: ObjectKind): ArmReply {
  const place = placeOf(parts, request, kind);
  return { status: 200, body: objectView(place, requireCurrent(place)) };
}

function listObjects(parts: Parts, request: ArmRequest, kind: ObjectKind): ArmReply {
  const place = placeOf(parts, request, kind);
  const { store, vault } = place.request;
  const names = store.names({ vault: vault.instance, kind }, { after: "", limit: MAX_LISTED, deleted: false });
  const value = names.flatMap((name) => {
    const one = { ...place, name, request: { ...place.request, name } };
    const version = current(one);
    return version ? [objectView(one, version)] : [];
  });
  return { status: 200, body: { value } };
}

function listKeyVersions(parts: Parts, request: ArmRequest): ArmReply {
  const place = placeOf(parts, request, "key");
  requireCurrent(place);
  const { store, vault, kind, name } = place.request;
  const found = store.versions({ vault: vault.instance, kind, name }, { after: 0, limit: MAX_LISTED });
  return { status: 200, body: { value: found.map(({ version }) => objectView(place, version, "versions")) } };
}

function current({ request: { store, vault, kind, name, version } }: Place): StoredVersion | undefined {
  return store.find({ vault: vault.instance, kind, name }, version);
}

function requireCurrent(place: Place): StoredVersion {
  const found = current(place);
  if (found) return found;
  throw vaultObjectNotFound(place.request.kind === "key" ? "Key" : "Secret", place.name);
}

function objectView(
  { vault, request: { kind, name, vault: facts } }: Place,
  stored: StoredVersion,
  part?: "versions",
): JsonObject {
  const suffix = part ? `/${part}/${stored.version}` : "";
  const uri = `${facts.uri}${kind}s/${name}`;
  const common = {
    attributes: stored.attributes,
    [`${kind}Uri`]: uri,
    [`${kind}UriWithVersion`]: `${uri}/${stored.version}`,
  };
  const own =
    kind === "secret"
      ? { ...(stored.contentType === undefined ? {} : { contentType: stored.contentType }) }
      : { kty: "RSA", keyOps: stored.operations, keySize: bitsOf(stored.material) };
  return {
    id: `${vault.id}/${kind}s/${name}${suffix}`,
    name: part ? stored.version : name,
    type: `${VAULT_TYPE}/${kind}s${part ? `/${part}` : ""}`,
    location: vault.body["location"],
    ...(stored.tags ? { tags: stored.tags } : {}),
    properties: { ...own, ...common },
  };
}

/** A refusal of the vault, in ARM's words. */
async function inVault(act: () => WireReply | Promise<WireReply>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const { error: body } = error.toReply().body as { error: { code: string; message: string } };
    throw new ArmError(error.status, body);
  }
}
