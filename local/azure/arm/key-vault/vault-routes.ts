import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { VaultPlane } from "../../../vault/vault-plane";
import { invalidParameter } from "../arm-errors";
import type { CloudWorld } from "../cloud-world";
import { pageById } from "../paging";
import { parseBody } from "../parse-body";
import { newResource, requireGroup, requireLocation, requireResource } from "../resource-access";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { isSame, type JsonObject, propertiesOf, type StoredResource } from "../resource-store";
import { createDeletedVaultRoutes, type DeletedVaults } from "./deleted-vaults";
import { accessPoliciesOf, instanceOf, VAULT_TYPE } from "./hosted-vaults";
import { AccessPolicyEntry, requireVaultBasics, vaultProperties, VaultProperties } from "./vault-body";
import {
  invalidVaultName,
  noDeletedVault,
  VAULT_NAME_RULE,
  vaultIsDeleted,
  vaultNameTaken,
  vaultNameTakenMessage,
} from "./vault-errors";
import { createVaultObjectRoutes } from "./vault-objects";

export interface VaultParts {
  readonly world: CloudWorld;
  readonly plane: VaultPlane;
  readonly deleted: DeletedVaults;
}

const Tags = z.record(z.string(), z.string()).optional();
const VaultBody = z.looseObject({ location: z.string().optional(), tags: Tags, properties: VaultProperties });
const PatchBody = z.looseObject({ tags: Tags, properties: VaultProperties.optional() });
const PolicyBody = z.looseObject({ properties: z.looseObject({ accessPolicies: z.array(AccessPolicyEntry) }) });
const NameBody = z.looseObject({ name: z.string(), type: z.literal(VAULT_TYPE) });

const NAME = /^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/;

/** Microsoft.KeyVault: vaults, deleted vaults, and the keys and secrets that templates declare. */
export function createVaultRoutes(parts: VaultParts): ArmRoute[] {
  const { world, deleted } = parts;
  world.resources.onDelete(VAULT_TYPE, (vault) => deleted.keep(vault));
  const at = ["group", VAULT_TYPE] as const;
  const listed = (request: ArmRequest, keep: (one: StoredResource) => boolean): ArmReply => {
    const rows = world.resources.ofType(VAULT_TYPE).filter(keep);
    return pageById(world, request, { rows, view: (one) => vaultView(parts, one), takesTop: true });
  };
  return [
    itemRoute("PUT", at, (request) => putVault(parts, request)),
    itemRoute("PATCH", at, (request) => patchVault(parts, request)),
    itemRoute("GET", at, (request) => ({ status: 200, body: vaultView(parts, requireResource(world, request)) })),
    itemRoute("DELETE", at, (request) => deleteVault(parts, request)),
    listRoute(at, (request) => {
      const group = requireGroup(world, request);
      return listed(
        request,
        (one) => isSame(one.group, group.name) && isSame(one.subscriptionId, group.subscriptionId),
      );
    }),
    listRoute(["subscription", VAULT_TYPE], (request) =>
      listed(request, (one) => isSame(one.subscriptionId, request.path.subscriptionId ?? "")),
    ),
    itemRoute("PUT", ["group", `${VAULT_TYPE}/accessPolicies`], (request) => putPolicies(parts, request)),
    {
      method: "POST",
      level: "subscription",
      type: "Microsoft.KeyVault/checkNameAvailability",
      isItem: false,
      action: "Microsoft.KeyVault/checkNameAvailability/read",
      handle: (request) => checkName(parts, request),
    },
    ...createDeletedVaultRoutes(world, deleted),
    ...createVaultObjectRoutes(parts),
  ];
}

export function vaultView({ plane }: Pick<VaultParts, "plane">, vault: StoredResource): JsonObject {
  return { ...vault.body, properties: { ...propertiesOf(vault), vaultUri: plane.uriOf(instanceOf(vault)) } };
}

async function putVault(parts: VaultParts, request: ArmRequest): Promise<ArmReply> {
  const { world } = parts;
  requireGroup(world, request);
  const { location: given, tags, properties } = parseBody(VaultBody, request.body);
  const known = world.resources.get(request.path.id);
  const name = request.path.names[0] ?? "";
  if (properties.createMode === "recover" && !known) return recoverVault(parts, request);
  if (!known) {
    requireFreeName(parts, name);
    requireVaultBasics(properties, request.apiVersion);
  }
  const location = requireLocation(world, { given, type: VAULT_TYPE, known });
  const stored = writeVault(parts, request, {
    known,
    body: { location, tags: tags ?? {}, properties: changedProperties(parts, request, { given: properties, known }) },
  });
  await parts.plane.open(instanceOf(stored));
  return { status: known ? 200 : 201, body: vaultView(parts, stored) };
}

function changedProperties(
  { world }: VaultParts,
  { apiVersion }: ArmRequest,
  { given, known }: { given: VaultProperties; known: StoredResource | undefined },
): JsonObject {
  const { tenantId } = world.directory;
  return vaultProperties({ given, known: known && propertiesOf(known), apiVersion, tenantId });
}

function writeVault(
  { world }: VaultParts,
  { path }: ArmRequest,
  { known, body }: { known: StoredResource | undefined; body: JsonObject },
): StoredResource {
  const { id, group = "", subscriptionId = "" } = path;
  if (known) return world.resources.change(known.id, { body }) ?? known;
  const fresh = newResource({ id, type: VAULT_TYPE, group, subscriptionId }, body);
  return world.resources.put({ ...fresh, hidden: { instance: randomUUID() } });
}

async function patchVault(parts: VaultParts, request: ArmRequest): Promise<ArmReply> {
  const known = requireResource(parts.world, request);
  const { tags, properties } = parseBody(PatchBody, request.body);
  const body = {
    ...(tags ? { tags } : {}),
    ...(properties ? { properties: changedProperties(parts, request, { given: properties, known }) } : {}),
  };
  const stored = writeVault(parts, request, { known, body });
  await parts.plane.open(instanceOf(stored));
  return { status: 200, body: vaultView(parts, stored) };
}

/** The vault comes back as it was, with all that it held; the request's own properties do not count. */
async function recoverVault(parts: VaultParts, { path }: ArmRequest): Promise<ArmReply> {
  const found = parts.deleted.find(path.names[0] ?? "");
  if (!found || !isSame(found.vault.id, path.id)) throw noDeletedVault();
  const vault = parts.world.resources.put(parts.deleted.takeBack(found));
  await parts.plane.open(instanceOf(vault));
  return { status: 201, body: vaultView(parts, vault) };
}

/** Names are one for the whole world, and those of deleted vaults stay taken. */
function requireFreeName({ world, deleted }: VaultParts, name: string): void {
  if (!NAME.test(name)) throw invalidVaultName(name);
  if (deleted.find(name)) throw vaultIsDeleted();
  if (world.resources.ofType(VAULT_TYPE).some((one) => isSame(one.name, name))) throw vaultNameTaken(name);
}

function deleteVault({ world }: VaultParts, request: ArmRequest): ArmReply {
  requireGroup(world, request);
  const known = world.resources.get(request.path.id);
  if (!known) return { status: 204 };
  world.resources.delete(known.id);
  // Roles that were given on a vault do not come back with it.
  world.access.forgetScope(known.id);
  return { status: 200 };
}

function putPolicies(parts: VaultParts, request: ArmRequest): ArmReply {
  const id = request.path.id.replace(/\/accessPolicies\/[^/]+$/i, "");
  const vault = requireResource(parts.world, { ...request, path: { ...request.path, id } });
  const { accessPolicies: given } = parseBody(PolicyBody, request.body).properties;
  const accessPolicies = combined(accessPoliciesOf(vault), given, request.path.names[1] ?? "");
  parts.world.resources.changeProperties(vault.id, { accessPolicies });
  return {
    status: 200,
    body: { id: `${id}/accessPolicies/`, type: `${VAULT_TYPE}/accessPolicies`, properties: { accessPolicies } },
  };
}

function combined(known: AccessPolicyEntry[], given: AccessPolicyEntry[], how: string): AccessPolicyEntry[] {
  const others = known.filter((one) => !given.some(({ objectId }) => isSame(objectId, one.objectId)));
  switch (how.toLowerCase()) {
    case "replace":
      return given;
    case "remove":
      return others;
    case "add":
      return [...others, ...given.map((one) => merged(known, one))];
    default:
      throw invalidParameter("operationKind", `The operation kind '${how}' is none of add, replace, remove.`);
  }
}

function merged(known: AccessPolicyEntry[], given: AccessPolicyEntry): AccessPolicyEntry {
  const before = known.find(({ objectId }) => isSame(objectId, given.objectId));
  if (!before) return given;
  const union = (kind: "keys" | "secrets" | "certificates" | "storage"): string[] => [
    ...new Set([...(before.permissions[kind] ?? []), ...(given.permissions[kind] ?? [])]),
  ];
  const kinds = ["keys", "secrets", "certificates", "storage"] as const;
  return { ...given, permissions: Object.fromEntries(kinds.map((kind) => [kind, union(kind)])) };
}

function checkName({ world, deleted }: VaultParts, { body }: ArmRequest): ArmReply {
  const { name } = parseBody(NameBody, body);
  if (!NAME.test(name))
    return { status: 200, body: { nameAvailable: false, reason: "AccountNameInvalid", message: VAULT_NAME_RULE } };
  const isTaken = deleted.find(name) ?? world.resources.ofType(VAULT_TYPE).find((one) => isSame(one.name, name));
  if (!isTaken) return { status: 200, body: { nameAvailable: true } };
  return {
    status: 200,
    body: { nameAvailable: false, reason: "AlreadyExists", message: vaultNameTakenMessage(name) },
  };
}
