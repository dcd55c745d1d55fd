import { z } from "zod";
import { apiOf, armOf, orgPath, refusalOf, type Service } from "../api";
import type { CommandCall } from "../command";
import { refused } from "../cli-error";
import type { Connection } from "../connection";
import { guidOf } from "../deterministic-guid";

/** A role on the data itself: Azure's, given and taken by the caller's own right there. Corral's service could do neither. */
export interface DataGrant {
  readonly role: string;
  readonly roleId: string;
  /** A resource id. */
  readonly scope: string;
}

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const BLOB_DATA_READER = { role: "Storage Blob Data Reader", roleId: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1" };
const KEY_VAULT_READER = { role: "Key Vault Reader", roleId: "21090545-7ca7-4776-b22c-e363652d74d2" };

const DEFAULT_VOLUME = "artifacts";
const DEFAULT_PREFIX = "corral";
const ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments";
const ASSIGNMENT_VERSION = "2022-04-01";

const OrgView = z.object({
  subscriptionId: z.string(),
  estatePrefix: z.string().optional(),
  bring: z.object({ vaultId: z.string().optional(), dataStorageId: z.string().optional() }).optional(),
});

const Resources = z.array(z.object({ id: z.string() }));

/** The default volume and the vault of an organization, wherever they lie. */
export async function dataGrantsOf(
  call: CommandCall,
  connection: Connection,
  org: string,
): Promise<readonly DataGrant[]> {
  const view = OrgView.parse(await apiOf(connection).call({ method: "GET", path: orgPath(org) }));
  const arm = armOf(connection);
  const group = `/subscriptions/${view.subscriptionId}/resourceGroups/${view.estatePrefix ?? DEFAULT_PREFIX}-${org}`;
  const account =
    call.text("storage-account") ??
    view.bring?.dataStorageId ??
    (await onlyOne(arm, {
      path: `${group}-storage/providers/Microsoft.Storage/storageAccounts?api-version=2025-01-01`,
      option: "--storage-account",
    }));
  const vault =
    call.text("vault-id") ??
    view.bring?.vaultId ??
    (await onlyOne(arm, {
      path: `${group}/providers/Microsoft.KeyVault/vaults?api-version=2024-11-01`,
      option: "--vault-id",
    }));
  return [
    { ...BLOB_DATA_READER, scope: `${account}/blobServices/default/containers/${DEFAULT_VOLUME}` },
    { ...KEY_VAULT_READER, scope: vault },
  ];
}

async function onlyOne(arm: Service, { path, option }: { path: string; option: string }): Promise<string> {
  const found = Resources.parse(await arm.list(path));
  const [one, ...more] = found;
  if (one && more.length === 0) return one.id;
  throw refused(`${path.split("?")[0] ?? ""} has ${found.length} resources, not one: name it with ${option} ID`);
}

/** Names are functions of what is given, so that giving again changes nothing. */
const pathOf = ({ scope, roleId }: DataGrant, principalId: string): string =>
  `${scope}/${ASSIGNMENTS}/${guidOf(scope.toLowerCase(), principalId, roleId)}?api-version=${ASSIGNMENT_VERSION}`;

export async function giveDataAccess(
  connection: Connection,
  grant: DataGrant,
  { principalId, principalType }: { principalId: string; principalType: string },
): Promise<void> {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(grant.scope)?.[0] ?? "";
  const properties = {
    roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${grant.roleId}`,
    principalId,
    // Azure knows managed identities as service principals.
    principalType: principalType === "ManagedIdentity" ? "ServicePrincipal" : principalType,
  };
  const call = { method: "PUT", path: pathOf(grant, principalId), body: { properties } } as const;
  const reply = await armOf(connection).send(call);
  const code = z.object({ error: z.object({ code: z.string() }) }).safeParse(reply.body).data?.error.code;
  // Somebody gave the same role under another name.
  if (reply.status < 400 || code === "RoleAssignmentExists") return;
  throw refusalOf(call, reply);
}

export async function takeDataAccess(connection: Connection, grant: DataGrant, principalId: string): Promise<void> {
  await armOf(connection).call({ method: "DELETE", path: pathOf(grant, principalId) });
}
