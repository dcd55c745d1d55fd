import type { DeploymentExtended, DeploymentOperation } from "@azure/arm-resourcesdeployments";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import { type AzureFixture, fast, GROUP, LOCATION } from "../../local/azure/azure-fixture";
import { deploymentsOf } from "./arm-clients";

export interface Deployment {
  readonly name: string;
  readonly template: object;
  readonly parameters?: Readonly<Record<string, { value: unknown }>>;
  readonly group?: string;
  readonly mode?: "Incremental" | "Complete";
  readonly as?: ServicePrincipal;
}

const SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

/** A template with what every one has at its top. */
export const templateOf = (parts: object): object => ({
  $schema: SCHEMA,
  contentVersion: "1.0.0.0",
  resources: [],
  ...parts,
});

export const propertiesOf = ({ template, parameters = {}, mode = "Incremental" }: Omit<Deployment, "name">) => ({
  mode,
  template: templateOf(template),
  parameters,
});

export async function deployToGroup(fixture: AzureFixture, deployment: Deployment): Promise<DeploymentExtended> {
  const { name, group = GROUP, as } = deployment;
  const { deployments } = deploymentsOf(fixture, as);
  return await deployments.createOrUpdate(group, name, { properties: propertiesOf(deployment) }, fast);
}

export async function deployToSubscription(fixture: AzureFixture, deployment: Deployment): Promise<DeploymentExtended> {
  const { name, as } = deployment;
  const body = { location: LOCATION, properties: propertiesOf(deployment) };
  return await deploymentsOf(fixture, as).deployments.createOrUpdateAtSubscriptionScope(name, body, fast);
}

export async function operationsOf(fixture: AzureFixture, name: string, group = GROUP): Promise<DeploymentOperation[]> {
  const found: DeploymentOperation[] = [];
  for await (const one of deploymentsOf(fixture).deploymentOperations.list(group, name)) found.push(one);
  return found;
}

export const networkOf = (name: string, more: object = {}) => ({
  type: "Microsoft.Network/virtualNetworks",
  apiVersion: "2024-05-01",
  name,
  location: LOCATION,
  properties: { addressSpace: { addressPrefixes: ["10.2.0.0/16"] } },
  ...more,
});

export const identityOf = (name: string, more: object = {}) => ({
  type: "Microsoft.ManagedIdentity/userAssignedIdentities",
  apiVersion: "2023-01-31",
  name,
  location: LOCATION,
  ...more,
});

/** What a client throws: code and message, however the failure came about. */
export async function failureOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
  } catch (error) {
    const { code } = error as { code?: string };
    return `${code ?? ""} ${error instanceof Error ? error.message : String(error)}`.trim();
  }
  throw new Error("It did not fail.");
}
