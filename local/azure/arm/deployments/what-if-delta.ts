import { locationName } from "../resource-store";
import { isEqual, isList, isMap, type Json, type JsonMap } from "./json-value";

export interface PropertyChange {
  readonly path: string;
  readonly propertyChangeType: "Create" | "Modify" | "Delete" | "Array";
  readonly before?: Json;
  readonly after?: Json;
  readonly children?: readonly PropertyChange[];
}

/**
 * What a template's body would change in a resource. What the template does not name stays, but for tags, which are replaced whole:
 * Azure goes by the provider's schema there, and shows some members as deleted that are only the provider's defaults.
 */
export function propertyChanges(before: JsonMap, after: JsonMap): PropertyChange[] {
  const { tags, ...rest } = after;
  const changes = membersOf(before, rest, "");
  if (!isMap(tags)) return changes;
  const old = isMap(before["tags"]) ? before["tags"] : {};
  const gone = Object.entries(old)
    .filter(([name]) => !(name in tags))
    .map(([name, value]) => ({ path: `tags.${name}`, propertyChangeType: "Delete" as const, before: value }));
  return [...changes, ...membersOf(old, tags, "tags"), ...gone];
}

function membersOf(before: JsonMap, after: JsonMap, at: string): PropertyChange[] {
  return Object.entries(after).flatMap(([name, value]) => {
    const path = at === "" ? name : `${at}.${name}`;
    return compare(before[name], value, path);
  });
}

function compare(before: Json | undefined, after: Json, path: string): PropertyChange[] {
  if (before === undefined) return after === null ? [] : [{ path, propertyChangeType: "Create", after }];
  if (isMap(before) && isMap(after)) return membersOf(before, after, path);
  if (isList(before) && isList(after)) {
    const children = elementsOf(before, after);
    return children.length > 0 ? [{ path, propertyChangeType: "Array", before, after, children }] : [];
  }
  if (isEqual(before, after) || isSameLocation(path, before, after)) return [];
  return [{ path, propertyChangeType: "Modify", before, after }];
}

/** By place: Azure matches elements by their likeness. */
function elementsOf(before: readonly Json[], after: readonly Json[]): PropertyChange[] {
  const changed = after.flatMap((value, index): PropertyChange[] => {
    const old = before[index];
    if (!isMap(old) || !isMap(value)) return compare(old, value, String(index));
    const children = membersOf(old, value, "");
    return children.length > 0
      ? [{ path: String(index), propertyChangeType: "Modify", before: old, after: value, children }]
      : [];
  });
  const gone = before.slice(after.length).map((value, index) => ({
    path: String(after.length + index),
    propertyChangeType: "Delete" as const,
    before: value,
  }));
  return [...changed, ...gone];
}

const isSameLocation = (path: string, before: Json, after: Json): boolean =>
  path === "location" &&
  typeof before === "string" &&
  typeof after === "string" &&
  locationName(before) === locationName(after);
