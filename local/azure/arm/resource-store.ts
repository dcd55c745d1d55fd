import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../store/json-table";

export type JsonObject = Readonly<Record<string, unknown>>;

export interface StoredResource {
  /** As it was first written; compared without case. */
  readonly id: string;
  readonly name: string;
  /** `Microsoft.Compute/virtualMachines`; `Microsoft.Resources/resourceGroups` for a group. */
  readonly type: string;
  readonly subscriptionId: string;
  readonly group: string;
  /** As a GET answers it, without instance view. */
  readonly body: JsonObject;
  /** What no GET shows: custom data, power state. */
  readonly hidden: JsonObject;
  readonly createdAt: string;
  readonly changedAt: string;
}

/** All resources of the simulated cloud, by id and by type. */
export class ResourceStore {
  private readonly table: JsonTable<StoredResource>;
  private readonly byType = new Map<string, Map<string, StoredResource>>();
  private readonly counters: JsonTable<number>;
  private readonly deletionListeners = new Map<string, (resource: StoredResource) => void>();

  constructor(database: DatabaseSync) {
    this.table = new JsonTable(database, "resources");
    this.counters = new JsonTable(database, "counters");
    for (const resource of this.table.values()) this.index(resource);
  }

  get(id: string): StoredResource | undefined {
    return this.table.get(id.toLowerCase());
  }

  put(resource: StoredResource): StoredResource {
    const key = resource.id.toLowerCase();
    if (!this.table.get(key)) this.count(resource.type);
    this.index(resource);
    return this.table.set(key, resource);
  }

  /** Replaces parts of the wire body, and of what is hidden, of a resource that exists. */
  change(id: string, change: { readonly body?: JsonObject; readonly hidden?: JsonObject }): StoredResource | undefined {
    const known = this.get(id);
    if (!known) return undefined;
    return this.put({
      ...known,
      body: { ...known.body, ...change.body, ...renewedEtag(known, change.body ?? {}) },
      hidden: { ...known.hidden, ...change.hidden },
      changedAt: new Date().toISOString(),
    });
  }

  changeProperties(id: string, properties: JsonObject): StoredResource | undefined {
    const known = this.get(id);
    return known && this.change(id, { body: { properties: { ...propertiesOf(known), ...properties } } });
  }

  delete(id: string): boolean {
    const key = id.toLowerCase();
    const known = this.table.get(key);
    if (!known) return false;
    this.byType.get(known.type.toLowerCase())?.delete(key);
    const isDeleted = this.table.delete(key);
    this.deletionListeners.get(known.type.toLowerCase())?.(known);
    return isDeleted;
  }

  /** Told whenever a resource of the type goes, be it by itself or with its group. */
  onDelete(type: string, listener: (resource: StoredResource) => void): void {
    this.deletionListeners.set(type.toLowerCase(), listener);
  }

  ofType(type: string): StoredResource[] {
    return [...(this.byType.get(type.toLowerCase())?.values() ?? [])];
  }

  inGroup(subscriptionId: string, group: string): StoredResource[] {
    return this.table
      .values()
      .filter(
        (one) => one.type !== GROUP_TYPE && isSame(one.group, group) && isSame(one.subscriptionId, subscriptionId),
      );
  }

  all(): StoredResource[] {
    return this.table.values();
  }

  /** How many resources of a type were ever made, deleted ones too. */
  everCreated(type: string): number {
    return this.counters.get(type.toLowerCase()) ?? 0;
  }

  private count(type: string): void {
    this.counters.set(type.toLowerCase(), this.everCreated(type) + 1);
  }

  private index(resource: StoredResource): void {
    const type = resource.type.toLowerCase();
    const ofType = this.byType.get(type) ?? new Map<string, StoredResource>();
    ofType.set(resource.id.toLowerCase(), resource);
    this.byType.set(type, ofType);
  }
}

/** A new etag for a resource that has one, if a change is more than the next step of an operation. */
function renewedEtag({ body }: StoredResource, change: JsonObject): { readonly etag?: string } {
  const { etag } = body;
  if (typeof etag !== "string" || contentOf({ ...body, ...change }) === contentOf(body)) return {};
  const number = /^"(\d+)"$/.exec(etag)?.[1];
  return { etag: number === undefined ? newEtag() : `"${Number(number) + 1}"` };
}

function contentOf({ properties, etag: _etag, ...rest }: JsonObject): string {
  const { provisioningState: _state, ...content } = (properties ?? {}) as JsonObject; // as in `propertiesOf`
  return JSON.stringify([content, rest]);
}

/** Network's etags say nothing; Compute counts. */
export const newEtag = (): string => `W/"${randomUUID()}"`;

export const GROUP_TYPE = "Microsoft.Resources/resourceGroups";

export const isSame = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

export function propertiesOf(resource: StoredResource): JsonObject {
  return (resource.body["properties"] ?? {}) as JsonObject; // every body that the simulator writes has an object there
}

/** Azure takes "West US 3" for westus3. */
export const locationName = (location: string): string => location.toLowerCase().replaceAll(" ", "");
