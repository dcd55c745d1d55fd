import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { ContainerRegistryManagementClient } from "@azure/arm-containerregistry";
import { EventGridManagementClient } from "@azure/arm-eventgrid";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { NetworkManagementClient } from "@azure/arm-network";
import { DeploymentsClient } from "@azure/arm-resourcesdeployments";
import { StorageManagementClient } from "@azure/arm-storage";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import { type AzureFixture, credentialOf, SUBSCRIPTION } from "../../local/azure/azure-fixture";

const options = ({ azure }: AzureFixture) => ({
  endpoint: azure.armUrl,
  tlsOptions: { ca: azure.caPem },
  retryOptions: { maxRetries: 0 },
});

export const deploymentsOf = (fixture: AzureFixture, principal?: ServicePrincipal): DeploymentsClient =>
  new DeploymentsClient(credentialOf(fixture, principal), SUBSCRIPTION, options(fixture));

/** The official management clients, each against the simulator. Those of the older generation take their scope from the endpoint, unless told. */
export function armClients(fixture: AzureFixture) {
  const credential = credentialOf(fixture);
  const modern = options(fixture);
  const classic = { ...modern, credentialScopes: "https://management.azure.com/.default" };
  return {
    authorization: new AuthorizationManagementClient(credential, SUBSCRIPTION, classic),
    eventGrid: new EventGridManagementClient(credential, SUBSCRIPTION, classic),
    identities: new ManagedServiceIdentityClient(credential, SUBSCRIPTION, classic),
    keyVaults: new KeyVaultManagementClient(credential, SUBSCRIPTION, modern),
    network: new NetworkManagementClient(credential, SUBSCRIPTION, modern),
    registries: new ContainerRegistryManagementClient(credential, SUBSCRIPTION, modern),
    storage: new StorageManagementClient(credential, SUBSCRIPTION, modern),
  };
}
