import { decodeJwt } from "jose";
import type { DatabaseSync } from "node:sqlite";
import type { LocalTls } from "../tls/certificate-authority";
import { VAULT_AUDIENCE, type VaultHandlerOptions } from "../vault/vault-handler";
import { VaultPlane } from "../vault/vault-plane";
import { RegistryPlane } from "../registry/registry-plane";
import { ArmError } from "./arm/arm-error";
import { Authentication } from "./arm/authentication";
import type { CloudWorld } from "./arm/cloud-world";
import {
  createRegistryDescription,
  createRegistryRoutes,
  REGISTRY_TYPE,
  registryInstanceOf,
} from "./arm/container-registry/registry-routes";
import { DeletedVaults } from "./arm/key-vault/deleted-vaults";
import { createVaultDescription, instanceOf, VAULT_TYPE } from "./arm/key-vault/hosted-vaults";
import { createVaultRoutes } from "./arm/key-vault/vault-routes";
import type { ArmRoute } from "./arm/route";
import { createStorageRoutes } from "./arm/storage/storage-routes";
import type { AzureOptions } from "./azure-options";
import { ARM_AUDIENCES } from "./identity/audiences";
import type { Directory } from "./identity/directory";
import type { SigningKeys } from "./identity/signing-key";

/** Registries take tokens for themselves and those for ARM, unless a policy of theirs says otherwise. */
const REGISTRY_AUDIENCES = [
  "https://containerregistry.azure.net",
  "https://containerregistry.azure.net/",
  ...ARM_AUDIENCES,
];

export interface DataPlaneParts {
  readonly options: AzureOptions;
  readonly database: DatabaseSync;
  readonly world: CloudWorld;
  readonly directory: Directory;
  readonly key: SigningKeys;
  readonly authority: () => string;
  readonly tls: LocalTls;
}

export interface DataPlanes {
  readonly routes: readonly ArmRoute[];
  /** Serves what was created before the cloud was stopped. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Services that ARM creates and that clients then speak to directly: Key Vault and Container Registry. */
export function createDataPlanes(parts: DataPlaneParts): DataPlanes {
  const { world, database } = parts;
  const vaults = createVaultPlane(parts);
  const registries = createRegistryPlane(parts);
  const deleted = new DeletedVaults(database, vaults);
  return {
    routes: [
      ...createVaultRoutes({ world, plane: vaults, deleted }),
      ...createRegistryRoutes({ world, plane: registries }),
      ...createStorageRoutes(world),
    ],
    open: async () => {
      await deleted.purgeDue();
      for (const vault of world.resources.ofType(VAULT_TYPE)) await vaults.open(instanceOf(vault));
      for (const one of world.resources.ofType(REGISTRY_TYPE)) await registries.open(registryInstanceOf(one));
    },
    close: async () => {
      await Promise.all([vaults.shutdown(), registries.shutdown()]);
    },
  };
}

function createVaultPlane(parts: DataPlaneParts): VaultPlane {
  const { options, world, directory, authority, tls } = parts;
  return new VaultPlane({
    folder: options.dataFolder,
    tls: { key: tls.key, cert: tls.cert },
    describe: createVaultDescription(world.resources),
    identify: createVaultIdentification(parts),
    allows: (question) => world.access.findGrant({ ...question, plane: "data" }) !== undefined,
    tokenAuthority: () => `${authority()}/${directory.tenantId}`,
    faults: options.faults,
    speed: options.speed,
    isThrottled: options.throttling ?? true,
    log: options.log,
  });
}

function createRegistryPlane(parts: DataPlaneParts): RegistryPlane {
  const { options, world, directory, key, authority, tls } = parts;
  const authentication = new Authentication({ directory, key, authority, audiences: REGISTRY_AUDIENCES });
  return new RegistryPlane({
    folder: options.dataFolder,
    tls: { key: tls.key, cert: tls.cert },
    describe: createRegistryDescription(world.resources),
    identify: async (accessToken) => {
      try {
        return (await authentication.callerOf(`Bearer ${accessToken}`)).objectId;
      } catch (error) {
        if (error instanceof ArmError) return undefined;
        throw error;
      }
    },
    allows: (question) => world.access.findGrant(question) !== undefined,
    faults: options.faults,
    log: options.log,
  });
}

function createVaultIdentification({ directory, key, authority }: DataPlaneParts): VaultHandlerOptions["identify"] {
  const authentication = new Authentication({ directory, key, authority, audiences: [VAULT_AUDIENCE] });
  return async (authorization) => {
    try {
      const { objectId, appId, claims } = await authentication.callerOf(authorization);
      return { objectId, appId, issuer: String(claims["iss"]) };
    } catch (error) {
      if (error instanceof ArmError) return { refusal: refusalOf(error.code, authorization) };
      throw error;
    }
  };
}

/** Key Vault's own words; the two with a number are seen most, and are those of Azure. */
function refusalOf(code: string, authorization: string): string {
  switch (code) {
    case "InvalidAuthenticationTokenAudience":
      return `AKV10022: Invalid audience. Expected ${VAULT_AUDIENCE}, found: ${claimOf(authorization, "aud")}.`;
    case "InvalidAuthenticationTokenTenant":
      return `AKV10032: Invalid issuer. Found ${claimOf(authorization, "iss")}.`;
    case "ExpiredAuthenticationToken":
      return "[TokenExpired] Error validating token: 'S2S12086'.";
    case "AuthenticationFailedInvalidHeader":
      return "AKV10000: Request is missing a Bearer or PoP token.";
    default:
      return "[BearerReadAccessTokenFailed] Error validating token: 'S2S12005'.";
  }
}

/** Only to say what was wrong: the token was verified before. */
function claimOf(authorization: string, name: "aud" | "iss"): string {
  return String(decodeJwt(authorization.split(" ")[1] ?? "")[name]);
}
