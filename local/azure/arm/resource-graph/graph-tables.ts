import type { CloudWorld } from "../cloud-world";
import { GROUP_TYPE, type StoredResource } from "../resource-store";
import type { KqlRow } from "./kql-values";

/** A row with what decides who may see it. */
export interface GraphRow {
  readonly id: string;
  readonly subscriptionId: string;
  /** What it takes to read the row: `Microsoft.Compute/virtualMachines/read`. */
  readonly action: string;
  readonly row: KqlRow;
}

type Table = (world: CloudWorld) => GraphRow[];

const TOP_MEMBERS = ["kind", "managedBy", "sku", "plan", "tags", "identity", "zones", "extendedLocation"] as const;

/** A resource as the graph has it: type, group and location in lower case. */
function resourceRow(world: CloudWorld, { id, name, type, group, subscriptionId, body }: StoredResource): GraphRow {
  const members = Object.fromEntries(
    TOP_MEMBERS.map((member) => [member, body[member] ?? (member === "kind" ? "" : null)]),
  );
  const row = {
    ...{ id, name, type: type.toLowerCase(), tenantId: world.directory.tenantId },
    ...{ location: body["location"] ?? "", resourceGroup: group.toLowerCase(), subscriptionId },
    ...members,
    properties: body["properties"] ?? {},
  };
  return { id, subscriptionId, action: `${type}/read`, row };
}

const TABLES: Readonly<Record<string, Table>> = {
  resources: (world) =>
    world.resources
      .all()
      .filter(({ type }) => type !== GROUP_TYPE)
      .map((resource) => resourceRow(world, resource)),
  resourcecontainers: (world) => [
    ...world.resources.ofType(GROUP_TYPE).map((group) => {
      const { row, ...rest } = resourceRow(world, group);
      const type = "microsoft.resources/subscriptions/resourcegroups";
      return { ...rest, action: "Microsoft.Resources/subscriptions/resourceGroups/read", row: { ...row, type } };
    }),
    ...world.subscriptionIds.map((subscriptionId) => subscriptionRow(world, subscriptionId)),
  ],
  authorizationresources: (world) =>
    world.access.assignments
      .values()
      .map(({ id, name, scope, roleDefinitionId, principalId, principalType, createdOn }) => {
        const subscriptionId = /^\/subscriptions\/([^/]+)/i.exec(scope)?.[1]?.toLowerCase() ?? "";
        const properties = { roleDefinitionId, principalId, principalType, scope, createdOn };
        const type = "microsoft.authorization/roleassignments";
        const row = { id, name, type, tenantId: world.directory.tenantId, subscriptionId, properties };
        return { id, subscriptionId, action: "Microsoft.Authorization/roleAssignments/read", row };
      }),
};

function subscriptionRow(world: CloudWorld, subscriptionId: string): GraphRow {
  const id = `/subscriptions/${subscriptionId}`;
  const row = {
    ...{ id, name: subscriptionId, type: "microsoft.resources/subscriptions", tenantId: world.directory.tenantId },
    ...{ location: "", resourceGroup: "", subscriptionId, properties: { state: "Enabled" } },
  };
  return { id, subscriptionId, action: "Microsoft.Resources/subscriptions/read", row };
}

/** The rows of a table; undefined when there is no such table. */
export function graphTable(world: CloudWorld, name: string): GraphRow[] | undefined {
  return Object.hasOwn(TABLES, name) ? TABLES[name]?.(world) : undefined;
}
