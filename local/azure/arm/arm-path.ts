/** Where a resource lives; the last `/providers/` of a path decides, since role assignments hang on other resources. */
export type ArmLevel = "tenant" | "subscription" | "group" | "resource";

export interface ArmPath {
  /** The whole path without a trailing action or collection: what permissions are asked for. */
  readonly id: string;
  /** The path as it was asked for, without doubled slashes. */
  readonly whole: string;
  readonly level: ArmLevel;
  /** What the type hangs on: the path before the last `/providers/`. */
  readonly scope: string;
  readonly subscriptionId: string | undefined;
  readonly group: string | undefined;
  /** `Microsoft.Compute/virtualMachines/deallocate`; of paths without provider `Microsoft.Resources/subscriptions/resourceGroups` and the like. */
  readonly type: string;
  readonly names: readonly string[];
  /** Does the path end with a name (an item), or with a type (a collection or an action)? */
  readonly isItem: boolean;
}

/** Takes a path apart; `undefined` for one that ARM could not have. */
export function parseArmPath(path: string): ArmPath | undefined {
  const given = decodeSegments(path);
  if (!given) return undefined;
  const segments = withProvider(given);
  const providersAt = segments.findLastIndex(
    (segment, index) => segment.toLowerCase() === "providers" && index % 2 === 0,
  );
  return providersAt < 0 ? parsePlain(segments) : parseProvider(segments, providersAt);
}

/** The operations of a deployment are also listed under a path without provider: `/subscriptions/…/resourcegroups/…/deployments/…`. */
function withProvider(segments: readonly string[]): readonly string[] {
  const isProviderless = (at: number): boolean => segments[at]?.toLowerCase() === "deployments";
  if (isProviderless(2)) return segments.toSpliced(2, 0, "providers", "Microsoft.Resources");
  if (segments[2]?.toLowerCase() === "resourcegroups" && isProviderless(4))
    return segments.toSpliced(4, 0, "providers", "Microsoft.Resources");
  return segments;
}

function decodeSegments(path: string): string[] | undefined {
  try {
    return path
      .split("/")
      .filter((segment) => segment !== "")
      .map((segment) => decodeURIComponent(segment));
  } catch {
    // A broken percent sequence.
    return undefined;
  }
}

const join = (segments: readonly string[]): string => `/${segments.join("/")}`;

function parseProvider(segments: readonly string[], at: number): ArmPath | undefined {
  const namespace = segments[at + 1];
  const rest = segments.slice(at + 2);
  // The providers themselves: `/subscriptions/…/providers` and `/subscriptions/…/providers/Microsoft.Compute`.
  if (!namespace || rest.length === 0) return at === 2 ? parsePlain(segments) : undefined;
  const types = rest.filter((_, index) => index % 2 === 0);
  const names = rest.filter((_, index) => index % 2 === 1);
  const isItem = types.length === names.length;
  const placed = place(segments.slice(0, at));
  if (!placed) return undefined;
  const scope = join(segments.slice(0, at));
  // The collection of a group is asked for at the group; the action of an item, and its child collection, at the item.
  const whole = isItem ? segments : segments.slice(0, -1);
  const id = !isItem && names.length === 0 ? scope : join(whole);
  return { ...placed, id, whole: join(segments), scope, type: [namespace, ...types].join("/"), names, isItem };
}

function place(scope: readonly string[]): Pick<ArmPath, "level" | "subscriptionId" | "group"> | undefined {
  if (scope.length === 0) return { level: "tenant", subscriptionId: undefined, group: undefined };
  if (scope[0]?.toLowerCase() !== "subscriptions" || !scope[1]) return undefined;
  if (scope.length === 2) return { level: "subscription", subscriptionId: scope[1], group: undefined };
  if (scope[2]?.toLowerCase() !== "resourcegroups" || !scope[3]) {
    return scope[2]?.toLowerCase() === "providers"
      ? { level: "resource", subscriptionId: scope[1], group: undefined }
      : undefined;
  }
  return { level: scope.length === 4 ? "group" : "resource", subscriptionId: scope[1], group: scope[3] };
}

function parsePlain(segments: readonly string[]): ArmPath | undefined {
  const types = segments.filter((_, index) => index % 2 === 0);
  const names = segments.filter((_, index) => index % 2 === 1);
  const isItem = types.length === names.length;
  const scope = isItem ? segments.slice(0, -2) : segments.slice(0, -1);
  const placed = place(scope);
  if (!placed || segments.length === 0) return undefined;
  const id = isItem ? join(segments) : join(scope);
  const subscriptionId = types[0]?.toLowerCase() === "subscriptions" ? names[0] : undefined;
  return {
    ...placed,
    subscriptionId,
    id,
    whole: join(segments),
    scope: join(scope),
    type: `Microsoft.Resources/${types.join("/")}`,
    names,
    isItem,
  };
}
