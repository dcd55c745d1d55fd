import type { DatabaseSync } from "node:sqlite";
import type { VaultPlane } from "../../../vault/vault-plane";
import { JsonTable } from "../../store/json-table";
import type { CloudWorld } from "../cloud-world";
import { pageReply } from "../paging";
import { operationOn } from "../resource-access";
import { type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { isSame, type JsonObject, locationName, propertiesOf, type StoredResource } from "../resource-store";
import { instanceOf } from "./hosted-vaults";
import { deletedVaultNotFound, purgeNotAllowed } from "./vault-errors";

export interface DeletedVault {
  readonly vault: StoredResource;
  readonly deletionDate: string;
  readonly scheduledPurgeDate: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const DELETED = "Microsoft.KeyVault/deletedVaults";
const DELETED_AT = "Microsoft.KeyVault/locations/deletedVaults";
const PURGE = "purgeVault";

/** Vaults that were deleted and can be had again until their retention is over. Their names stay taken. */
export class DeletedVaults {
  private readonly table: JsonTable<DeletedVault>;

  constructor(
    database: DatabaseSync,
    private readonly plane: VaultPlane,
  ) {
    this.table = new JsonTable(database, "deletedVaults");
  }

  find(name: string): DeletedVault | undefined {
    return this.table.get(name.toLowerCase());
  }

  list(subscriptionId: string): DeletedVault[] {
    return this.table.values().filter(({ vault }) => isSame(vault.subscriptionId, subscriptionId));
  }

  /** However it was deleted: by itself or with its group. */
  keep(vault: StoredResource): void {
    const now = Date.now();
    const days = Number(propertiesOf(vault)["softDeleteRetentionInDays"]);
    this.table.set(vault.name.toLowerCase(), {
      vault,
      deletionDate: new Date(now).toISOString(),
      scheduledPurgeDate: new Date(now + days * DAY_MS).toISOString(),
    });
    this.plane.closeSoon(instanceOf(vault));
  }

  /** The vault leaves this list to be an ordinary one again. */
  takeBack({ vault }: DeletedVault): StoredResource {
    this.table.delete(vault.name.toLowerCase());
    return vault;
  }

  async purge({ vault }: DeletedVault): Promise<void> {
    this.table.delete(vault.name.toLowerCase());
    await this.plane.purge(instanceOf(vault));
  }

  /** Azure purges by itself what nobody took back in time. */
  async purgeDue(now = Date.now()): Promise<void> {
    for (const deleted of this.table.values())
      if (Date.parse(deleted.scheduledPurgeDate) <= now) await this.purge(deleted);
  }
}

export function createDeletedVaultRoutes(world: CloudWorld, deleted: DeletedVaults): ArmRoute[] {
  world.operations.on(PURGE, {
    complete: async ({ input }) => {
      const found = deleted.find(input["name"] ?? "");
      if (found) await deleted.purge(found);
      return undefined;
    },
    fail: () => Promise.resolve(),
  });
  return [
    listRoute(["subscription", DELETED], (request) =>
      pageReply(world, request, {
        rows: deleted.list(request.path.subscriptionId ?? ""),
        keyOf: ({ vault }) => vault.name,
        view: deletedVaultView,
      }),
    ),
    itemRoute("GET", ["subscription", DELETED_AT], (request) => ({
      status: 200,
      body: deletedVaultView(requireDeleted(deleted, request)),
    })),
    {
      method: "POST",
      level: "subscription",
      type: `${DELETED_AT}/purge`,
      isItem: false,
      action: `${DELETED_AT}/purge/action`,
      handle: (request) => purge(world, deleted, request),
    },
  ];
}

function requireDeleted(deleted: DeletedVaults, { path }: ArmRequest): DeletedVault {
  const [location = "", name = ""] = path.names;
  const found = deleted.find(name);
  const isThere =
    found &&
    found.vault.body["location"] === locationName(location) &&
    isSame(found.vault.subscriptionId, path.subscriptionId ?? "");
  if (isThere) return found;
  throw deletedVaultNotFound(name);
}

function purge(world: CloudWorld, deleted: DeletedVaults, request: ArmRequest): ArmReply {
  const { vault } = requireDeleted(deleted, request);
  if (propertiesOf(vault)["enablePurgeProtection"] === true) throw purgeNotAllowed();
  const operation = world.operations.begin({
    ...operationOn(vault, request.label),
    kind: PURGE,
    latencyMs: world.latencies.drawMs("deleteResource"),
    input: { name: vault.name },
  });
  return { status: 202, operation, follow: "location" };
}

function deletedVaultView({ vault, deletionDate, scheduledPurgeDate }: DeletedVault): JsonObject {
  const location = String(vault.body["location"]);
  const isProtected = propertiesOf(vault)["enablePurgeProtection"] === true;
  return {
    id: `/subscriptions/${vault.subscriptionId}/providers/${DELETED_AT.replace("locations", `locations/${location}`)}/${vault.name}`,
    name: vault.name,
    type: DELETED,
    properties: {
      vaultId: vault.id,
      location,
      deletionDate,
      scheduledPurgeDate,
      tags: vault.body["tags"] ?? {},
      ...(isProtected ? { purgeProtectionEnabled: true } : {}),
    },
  };
}
