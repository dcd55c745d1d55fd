import { randomUUID } from "node:crypto";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import type { TokenCredential } from "@azure/identity";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AzureFixture,
  credentialOf,
  GROUP,
  GROUP_ID,
  LOCATION,
  resourcesOf,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { TENANT, tokenFor } from "../../local/azure/wire";

export interface VaultUnderTest {
  readonly name: string;
  readonly id: string;
  readonly url: string;
}

const options = ({ azure }: AzureFixture) => ({
  tlsOptions: { ca: azure.caPem },
  disableChallengeResourceVerification: true,
  retryOptions: { maxRetries: 0 },
});

export const vaultCredentialOf = (fixture: AzureFixture, principal = fixture.owner): TokenCredential => ({
  getToken: async (scopes) => ({
    token: await tokenFor(fixture, principal, [scopes].flat()[0]),
    expiresOnTimestamp: Date.now() + 3_000_000,
  }),
});

export const secretsOf = (fixture: AzureFixture, { url }: Pick<VaultUnderTest, "url">, principal?: ServicePrincipal) =>
  new SecretClient(url, vaultCredentialOf(fixture, principal), options(fixture));

export const keysOf = (fixture: AzureFixture, { url }: Pick<VaultUnderTest, "url">, principal?: ServicePrincipal) =>
  new KeyClient(url, vaultCredentialOf(fixture, principal), options(fixture));

export const cryptographyOptions = options;

export const vaultsOf = (fixture: AzureFixture, principal?: ServicePrincipal) =>
  new KeyVaultManagementClient(credentialOf(fixture, principal), SUBSCRIPTION, {
    endpoint: fixture.azure.armUrl,
    tlsOptions: { ca: fixture.azure.caPem },
    retryOptions: { maxRetries: 0 },
  });

export const newVaultName = (): string => `kv-${randomUUID().slice(0, 12)}`;

export const STANDARD = { tenantId: TENANT, sku: { family: "A", name: "standard" } } as const;

export const createGroup = (fixture: AzureFixture) =>
  resourcesOf(fixture).resourceGroups.createOrUpdate(GROUP, { location: LOCATION });

/** A vault that judges by roles; the owner is made its administrator, as owning gives no right to what it holds. */
export async function createVault(fixture: AzureFixture, properties: object = {}): Promise<VaultUnderTest> {
  const name = newVaultName();
  const vault = await vaultsOf(fixture).vaults.createOrUpdate(GROUP, name, {
    location: LOCATION,
    properties: { ...STANDARD, enableRbacAuthorization: true, ...properties },
  });
  const id = `${GROUP_ID}/providers/Microsoft.KeyVault/vaults/${name}`;
  fixture.azure.grant({ principalId: fixture.owner.objectId, role: "Key Vault Administrator", scope: id });
  return { name, id, url: vault.properties.vaultUri ?? "" };
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
