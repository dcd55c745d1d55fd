import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { CloudWorld } from "../arm/cloud-world";
import { VM_TYPE } from "../arm/compute/vm-record";
import type { InternalCall } from "../arm/deployments/internal-calls";
import { enumOf } from "../arm/enum-of";
import { LOCK_LEVELS } from "../arm/locks/lock-store";
import { isSame } from "../arm/resource-store";
import type { WireReply, WireRequest } from "../http/wire";
import { refuse, withBody } from "./portal-body";
import { callerOf, portalPerson } from "./portal-person";

/**
 * What a person changes by hand, `POST /person/{action}` with `{ target, as?, role?, … }`:
 *
 * | action | more in the body | what ARM is asked |
 * |---|---|---|
 * | `delete` | | DELETE of whatever the target is: a VM, disk, network interface, group, lock, role assignment |
 * | `stop`, `deallocate`, `start`, `restart` | | the POST of a VM |
 * | `resize` | `vmSize` | PATCH of a VM |
 * | `tag` | `tags`; `null` takes one away | PATCH of a resource or group |
 * | `lock` | `name`, `level`, `notes?` | PUT of a lock on the target |
 *
 * `target` is a resource id, or the name of a VM. `as` is a user of the directory, by object id, user principal name or display
 * name; a name that nobody has makes a user with Owner on the subscriptions, or with the `role` that is named, or with `none`.
 * The request takes ARM's whole way under their name: roles, locks, policies, throttling, faults, events. ARM's status comes back;
 * a refusal has ARM's body, a success `{ by, operation?, result? }`.
 */
export interface PersonOptions {
  readonly world: CloudWorld;
  /** Operations are followed there. */
  readonly armUrl: () => string;
}

const who = { target: z.string().min(1), as: z.string().min(1).optional(), role: z.string().min(1).optional() };
const Plain = z.strictObject(who);
const Resize = z.strictObject({ ...who, vmSize: z.string().min(1) });
const Tag = z.strictObject({ ...who, tags: z.record(z.string(), z.string().nullable()) });
const Lock = z.strictObject({
  ...who,
  name: z.string().min(1),
  level: enumOf(LOCK_LEVELS),
  notes: z.string().optional(),
});

const POWER: Readonly<Record<string, string>> = {
  stop: "powerOff",
  deallocate: "deallocate",
  start: "start",
  restart: "restart",
};

type Step = Pick<InternalCall, "method" | "path" | "body">;

export async function actAsPerson(options: PersonOptions, request: WireRequest, action: string): Promise<WireReply> {
  const power = POWER[action];
  const act = (given: z.infer<typeof Plain>, step: (id: string) => Step) => send(options, given, step);
  if (power !== undefined)
    return await withBody(request, Plain, (given) => act(given, (id) => ({ method: "POST", path: `${id}/${power}` })));
  switch (action) {
    case "delete":
      return await withBody(request, Plain, (given) => act(given, (id) => ({ method: "DELETE", path: id })));
    case "resize":
      return await withBody(request, Resize, ({ vmSize, ...given }) =>
        act(given, (id) => ({ method: "PATCH", path: id, body: { properties: { hardwareProfile: { vmSize } } } })),
      );
    case "tag":
      return await withBody(request, Tag, ({ tags, ...given }) =>
        act(given, (id) => ({ method: "PATCH", path: id, body: { tags: merged(options.world, id, tags) } })),
      );
    case "lock":
      return await withBody(request, Lock, ({ name, level, notes, ...given }) =>
        act(given, (id) => ({
          method: "PUT",
          path: `${id}/providers/Microsoft.Authorization/locks/${encodeURIComponent(name)}`,
          body: { properties: { level, ...(notes === undefined ? {} : { notes }) } },
        })),
      );
    default:
      return refuse(404, { code: "NotFound", message: `A person at the portal cannot '${action}'.` });
  }
}

/** `DELETE /vms/{name}`: the same by its old name. */
export const deleteVmByHand = (options: PersonOptions, name: string): Promise<WireReply> =>
  send(options, { target: name }, (id) => ({ method: "DELETE", path: id }));

async function send(
  { world, armUrl }: PersonOptions,
  { target, ...wanted }: z.infer<typeof Plain>,
  step: (id: string) => Step,
): Promise<WireReply> {
  const id = target.startsWith("/") ? target : vmNamed(world, target);
  if (id === undefined) return refuse(404, { code: "NotFound", message: `There is no VM '${target}'.` });
  if (wanted.role !== undefined && wanted.role !== "none" && !world.access.findRoleByName(wanted.role))
    return refuse(400, { code: "InvalidField", message: `There is no role '${wanted.role}'.`, target: "role" });
  const person = portalPerson(world, wanted);
  const {
    status,
    headers = {},
    body,
  } = await world.internalCalls.send({
    ...step(id),
    apiVersion: "2024-07-01",
    caller: callerOf(world, person),
    correlationId: randomUUID(),
    host: new URL(armUrl()).host,
  });
  if (status >= 400 || status === 204) return { status, body };
  const operation = headers["Azure-AsyncOperation"] ?? headers["Location"];
  const by = { objectId: person.objectId, userPrincipalName: person.userPrincipalName };
  return { status, body: { by, ...(operation ? { operation } : {}), ...(body ? { result: body } : {}) } };
}

const vmNamed = (world: CloudWorld, name: string): string | undefined =>
  world.resources.ofType(VM_TYPE).find((vm) => isSame(vm.name, name))?.id;

/** The tags that are there with those that were given: the portal's page shows all of them, and saves all of them. */
function merged(world: CloudWorld, id: string, given: Readonly<Record<string, string | null>>): object {
  const now = (world.resources.get(id)?.body["tags"] ?? {}) as Readonly<Record<string, string>>; // checked when it was written
  return Object.fromEntries(Object.entries({ ...now, ...given }).filter(([, value]) => value !== null));
}
