import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CloudFacts } from "./cloud-facts";
import { DEMO_ORG, ESTATE_PREFIX, LOCATIONS, SUBSCRIPTION_ID } from "./constants";
import type { StackSession } from "./session";

export interface DemoOptions {
  /** The app's folder: the role definitions lie in it as data. */
  readonly appFolder: string;
  readonly facts: CloudFacts;
  /** Settings of the organization that differ from the demo's. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Demo {
  /** The container of the default volume. */
  readonly artifactsUrl: string;
}

const SUBSCRIPTION = `/subscriptions/${SUBSCRIPTION_ID}`;
const GROUP = `${SUBSCRIPTION}/resourceGroups/${ESTATE_PREFIX}-${DEMO_ORG}`;
const DATA_GROUP = `${GROUP}-storage`;
const READY = new Set(["Ready", "Degraded"]);

/** Azure's built-in role Storage Blob Data Contributor. */
const BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

interface RoleFile {
  readonly Name: string;
  readonly Description: string;
  readonly Actions: readonly string[];
  readonly NotActions: readonly string[];
}

/** Ids of the two custom roles in this tenant. */
const ROLES = {
  "machine-operator": "0c011a11-0000-4000-8000-00000000c0a1",
  "capacity-reader": "0c011a11-0000-4000-8000-00000000c0a2",
} as const;

/**
 * Lays down what a machine needs, by plain ARM calls in the name of the tenant's owner, and registers the organization: what its
 * estate will do by template. Safe to repeat: each call is a PUT.
 */
export async function prepareDemoOrganization(session: StackSession, options: DemoOptions): Promise<Demo> {
  const { appFolder, facts, settings } = options;
  await session.arm("PUT", `${GROUP}?api-version=2025-04-01`, { location: LOCATIONS[0] });
  await session.arm("PUT", `${DATA_GROUP}?api-version=2025-04-01`, { location: LOCATIONS[0] });
  for (const [index, location] of LOCATIONS.entries()) await putNetwork(session, location, index);
  const identity = (await session.arm(
    "PUT",
    `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-machines?api-version=2023-01-31`,
    { location: LOCATIONS[0] },
  )) as { properties: { principalId: string } };
  const dataBlobEndpoint = await putDataAccount(session, identity.properties.principalId);
  const { principalId } = facts.runtime;
  await giveRole(session, appFolder, { role: "machine-operator", scope: GROUP, principalId });
  await giveRole(session, appFolder, { role: "capacity-reader", scope: SUBSCRIPTION, principalId });
  await session.api("PUT", `/api/orgs/${DEMO_ORG}`, { ...demoSettings(session.objectId), ...settings });
  await session.api("POST", `/api/orgs/${DEMO_ORG}/estate:confirm`, { dataBlobEndpoint });
  await waitUntilReady(session);
  return { artifactsUrl: `${dataBlobEndpoint}artifacts` };
}

function demoSettings(administrator: string): object {
  return {
    org: DEMO_ORG,
    subscriptionId: SUBSCRIPTION_ID,
    locations: [LOCATIONS[0]],
    administrators: [administrator],
    registries: ["docker.io"],
    queueSubmission: true,
    idle: { beforeFirstJobSeconds: 10, afterJobSeconds: 3, windowSeconds: 3 },
  };
}

async function putNetwork(session: StackSession, location: string, index: number): Promise<void> {
  const range = `10.${64 + index}.0.0/16`;
  await session.arm(
    "PUT",
    `${GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-${location}?api-version=2024-07-01`,
    {
      location,
      properties: {
        addressSpace: { addressPrefixes: [range] },
        subnets: [{ name: "machines", properties: { addressPrefix: range } }],
      },
    },
  );
}

/** The data account with its default volume, which machines may read and write, and nobody else but the owner may. */
async function putDataAccount(session: StackSession, machinePrincipalId: string): Promise<string> {
  const account = `${DATA_GROUP}/providers/Microsoft.Storage/storageAccounts/st${DEMO_ORG}data`;
  const made = (await session.arm("PUT", `${account}?api-version=2025-01-01`, {
    location: LOCATIONS[0],
    kind: "StorageV2",
    sku: { name: "Standard_LRS" },
  })) as { properties: { primaryEndpoints: { blob: string } } };
  for (const [index, principalId] of [machinePrincipalId, session.objectId].entries()) {
    const assignment = `${account}/providers/Microsoft.Authorization/roleAssignments/d0a11a11-0000-4000-8000-00000000da0${index}`;
    await session.arm("PUT", `${assignment}?api-version=2022-04-01`, {
      properties: {
        roleDefinitionId: `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${BLOB_DATA_CONTRIBUTOR}`,
        principalId,
        principalType: "ServicePrincipal",
      },
    });
  }
  const { blob } = made.properties.primaryEndpoints;
  await session.createContainer(`${blob}artifacts`);
  return blob;
}

async function giveRole(
  session: StackSession,
  appFolder: string,
  { role, scope, principalId }: { role: keyof typeof ROLES; scope: string; principalId: string },
): Promise<void> {
  const file = JSON.parse(readFileSync(join(appFolder, "src", "domain", `${role}.json`), "utf8")) as RoleFile;
  const id = ROLES[role];
  const definition = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${id}`;
  await session.arm("PUT", `${definition}?api-version=2022-04-01`, {
    properties: {
      roleName: file.Name,
      description: file.Description,
      type: "CustomRole",
      permissions: [{ actions: file.Actions, notActions: file.NotActions }],
      assignableScopes: [SUBSCRIPTION],
    },
  });
  // One assignment for each role, by a name that is the same in each run.
  const assignment = `${scope}/providers/Microsoft.Authorization/roleAssignments/${id.replace("0c011a11", "a5516a11")}`;
  await session.arm("PUT", `${assignment}?api-version=2022-04-01`, {
    properties: { roleDefinitionId: definition, principalId, principalType: "ServicePrincipal" },
  });
}

async function waitUntilReady(session: StackSession): Promise<void> {
  for (let look = 0; look < 150; look += 1) {
    const org = (await session.api("GET", `/api/orgs/${DEMO_ORG}`)) as { state: string; reasons: string[] };
    if (READY.has(org.state)) return;
    if (org.state === "Failed") throw new Error(`the estate of ${DEMO_ORG} is not complete: ${org.reasons.join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the organization ${DEMO_ORG} was not ready within 30 s`);
}
