import { z } from "zod";
import type { JsonObject } from "../resource-store";
import { badVaultRequest } from "./vault-errors";

const Words = z.array(z.string()).nullish();

export const AccessPolicyEntry = z.looseObject({
  tenantId: z.string(),
  objectId: z.string(),
  applicationId: z.string().nullish(),
  permissions: z.looseObject({ keys: Words, secrets: Words, certificates: Words, storage: Words }),
});
export type AccessPolicyEntry = z.infer<typeof AccessPolicyEntry>;

const flag = z.boolean().nullish();

/** What a PATCH may say; all that a PUT may say, and nothing of it must be there. */
export const VaultProperties = z.strictObject({
  tenantId: z.string().optional(),
  sku: z.looseObject({ family: z.literal("A"), name: z.enum(["standard", "premium"]) }).optional(),
  accessPolicies: z.array(AccessPolicyEntry).max(1024).nullish(),
  vaultUri: z.string().nullish(),
  enabledForDeployment: flag,
  enabledForDiskEncryption: flag,
  enabledForTemplateDeployment: flag,
  enableSoftDelete: flag,
  softDeleteRetentionInDays: z.number().int().nullish(),
  enableRbacAuthorization: flag,
  createMode: z.enum(["default", "recover"]).nullish(),
  enablePurgeProtection: flag,
  networkAcls: z.looseObject({}).nullish(),
  publicNetworkAccess: z.string().nullish(),
  // Read only: a client that sends back what it has read may say them.
  provisioningState: z.unknown().optional(),
  hsmPoolResourceId: z.unknown().optional(),
  privateEndpointConnections: z.unknown().optional(),
});
export type VaultProperties = z.infer<typeof VaultProperties>;

const DEFAULT_RETENTION_DAYS = 90;

/** From this version on a new vault judges by roles, unless it says otherwise: https://learn.microsoft.com/azure/key-vault/general/access-control-default */
const ROLES_BY_DEFAULT_SINCE = "2026-02-01";

interface Change {
  readonly given: VaultProperties;
  readonly known: JsonObject | undefined;
  readonly apiVersion: string;
  readonly tenantId: string;
}

/** The properties as a GET answers them, but for the URI: what a change leaves out stays as it was. */
export function vaultProperties({ given, known, apiVersion, tenantId }: Change): JsonObject {
  checkSettings(given, known, tenantId);
  const usesRolesByDefault = apiVersion >= ROLES_BY_DEFAULT_SINCE;
  const { createMode: _how, vaultUri: _ours, ...settings } = given;
  const said = Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined && value !== null),
  );
  const defaults = {
    accessPolicies: [],
    enabledForDeployment: false,
    enableSoftDelete: true,
    softDeleteRetentionInDays: DEFAULT_RETENTION_DAYS,
    enableRbacAuthorization: usesRolesByDefault,
    publicNetworkAccess: "Enabled",
  };
  return { ...defaults, ...known, ...said, provisioningState: "Succeeded" };
}

/** What a new vault must say. */
export function requireVaultBasics(
  { sku, tenantId, accessPolicies, enableRbacAuthorization }: VaultProperties,
  apiVersion: string,
): void {
  if (!sku) throw badVaultRequest("The parameter sku is not specified.");
  if (tenantId === undefined) throw badVaultRequest("The parameter tenantId is not specified.");
  const usesRoles = enableRbacAuthorization ?? apiVersion >= ROLES_BY_DEFAULT_SINCE;
  if (!usesRoles && !accessPolicies) throw badVaultRequest("The parameter accessPolicies is not specified.");
}

/** Soft delete and purge protection go one way only. */
function checkSettings(given: VaultProperties, known: JsonObject | undefined, tenantId: string): void {
  const { enableSoftDelete, softDeleteRetentionInDays: days, enablePurgeProtection } = given;
  if (given.tenantId !== undefined && given.tenantId.toLowerCase() !== tenantId.toLowerCase())
    throw badVaultRequest("An invalid value was provided for 'tenantId'.");
  if (enableSoftDelete === false)
    throw badVaultRequest(
      'The property "enableSoftDelete" can not be set to false: soft delete is enabled for all key vaults, and enabling it is an irreversible action.',
    );
  if (enablePurgeProtection === false)
    throw badVaultRequest(
      'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.',
    );
  if (typeof days !== "number") return;
  if (days < 7 || days > 90)
    throw badVaultRequest(
      'The value provided for the property "softDeleteRetentionInDays" is invalid. It must be between 7 and 90.',
    );
  if (known && known["softDeleteRetentionInDays"] !== days)
    throw badVaultRequest('The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.');
}
