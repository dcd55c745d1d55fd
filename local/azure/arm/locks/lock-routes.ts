import { z } from "zod";
import { ArmError } from "../arm-error";
import { isWithin } from "../authorization/access-control";
import { requireScope } from "../authorization/assignment-checks";
import type { CloudWorld } from "../cloud-world";
import { enumOf } from "../enum-of";
import { pageById } from "../paging";
import { parseBody } from "../parse-body";
import type { JsonObject } from "../resource-store";
import type { ArmReply, ArmRequest, ArmRoute } from "../route";
import { LOCK_LEVELS, type ManagementLock } from "./lock-store";

const TYPE = "Microsoft.Authorization/locks";

const LockBody = z.looseObject({
  properties: z.looseObject({
    level: enumOf(LOCK_LEVELS),
    notes: z.string().max(512).optional(),
    owners: z.array(z.looseObject({ applicationId: z.string().optional() })).optional(),
  }),
});

/** PUT, GET, DELETE and list at any scope: https://learn.microsoft.com/rest/api/resources/management-locks */
export function createLockRoutes(world: CloudWorld): ArmRoute[] {
  const item = { level: "any", type: TYPE, isItem: true } as const;
  return [
    { ...item, method: "PUT", action: `${TYPE}/write`, handle: (request) => putLock(world, request) },
    { ...item, method: "GET", action: `${TYPE}/read`, handle: (request) => getLock(world, request) },
    { ...item, method: "DELETE", action: `${TYPE}/delete`, handle: (request) => deleteLock(world, request) },
    { ...item, isItem: false, method: "GET", action: `${TYPE}/read`, handle: (request) => listLocks(world, request) },
  ];
}

function putLock(world: CloudWorld, { path, body }: ArmRequest): ArmReply {
  const { level, notes, owners } = parseBody(LockBody, body).properties;
  requireScope(world, path.scope);
  const known = world.locks.get(path.id);
  const lock = world.locks.put({
    id: known?.id ?? path.id,
    name: known?.name ?? path.names.at(-1) ?? "",
    scope: known?.scope ?? path.scope,
    level,
    notes,
    owners,
  });
  return { status: known ? 200 : 201, body: lockView(lock) };
}

function getLock(world: CloudWorld, { path }: ArmRequest): ArmReply {
  const known = world.locks.get(path.id);
  if (known) return { status: 200, body: lockView(known) };
  const message = `The lock '${path.names.at(-1) ?? ""}' could not be found.`;
  throw new ArmError(404, { code: "LockNotFound", message });
}

function deleteLock(world: CloudWorld, { path }: ArmRequest): ArmReply {
  return { status: world.locks.delete(path.id) ? 200 : 204 };
}

/** At the scope, above and below it; `atScope()` leaves out what lies below. */
function listLocks(world: CloudWorld, request: ArmRequest): ArmReply {
  const { path, query } = request;
  const isAtScope = /^atScope\(\)$/i.test((query.get("$filter") ?? "").trim());
  const shown = world.locks
    .all()
    .filter(({ scope }) => isWithin(path.scope, scope) || (!isAtScope && isWithin(scope, path.scope)));
  return pageById(world, request, { rows: shown, view: lockView });
}

const lockView = ({ id, name, level, notes, owners }: ManagementLock): JsonObject => ({
  properties: { level, ...(notes === undefined ? {} : { notes }), ...(owners ? { owners } : {}) },
  id,
  type: TYPE,
  name,
});
