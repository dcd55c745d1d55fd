import type { IncomingHttpHeaders } from "node:http";
import type { ArmLevel, ArmPath } from "./arm-path";
import type { Operation } from "./operations";
import type { Caller } from "./resource-events";
import type { JsonObject } from "./resource-store";

/** A request that was let in: its caller is known and holds the route's permission. */
export interface ArmRequest {
  readonly method: string;
  readonly path: ArmPath;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly apiVersion: string;
  readonly caller: Caller;
  /** What the fault plan and the counters call it: `PUT Microsoft.Compute/virtualMachines`. */
  readonly label: string;
}

export interface ArmReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: JsonObject | undefined;
  /** The operation that goes on after the answer. */
  readonly operation?: Operation | undefined;
  /** Which headers lead to it: Compute's PUT has no `Location`, a group's deletion has nothing else. */
  readonly follow?: "async" | "async-and-location" | "location";
}

export interface ArmRoute {
  readonly method: "GET" | "HEAD" | "PUT" | "PATCH" | "POST" | "DELETE";
  readonly level: ArmLevel | "any";
  /** As Azure spells it: `Microsoft.Compute/virtualMachines/deallocate`. */
  readonly type: string;
  /** Does the path end with a name? Collections and actions do not. */
  readonly isItem: boolean;
  /** The permission that is needed; absent where the handler decides itself what may be seen. */
  readonly action?: string;
  readonly handle: (request: ArmRequest) => ArmReply | Promise<ArmReply>;
}

const VERBS = { GET: "read", HEAD: "read", PUT: "write", PATCH: "write", DELETE: "delete" } as const;

type Verb = keyof typeof VERBS;

/** A route for an item, with the permission that its method needs everywhere in Azure. */
export function itemRoute(
  method: Verb,
  [level, type]: readonly [ArmLevel, string],
  handle: ArmRoute["handle"],
): ArmRoute {
  return { method, level, type, isItem: true, action: `${type}/${VERBS[method]}`, handle };
}

export function listRoute([level, type]: readonly [ArmLevel, string], handle: ArmRoute["handle"]): ArmRoute {
  return { method: "GET", level, type, isItem: false, action: `${type}/read`, handle };
}

export function actionRoute([level, type]: readonly [ArmLevel, string], handle: ArmRoute["handle"]): ArmRoute {
  return { method: "POST", level, type, isItem: false, action: `${type}/action`, handle };
}
