import type { ArmErrorBody } from "../arm-error";
import { isWithin } from "../authorization/access-control";
import type { CloudWorld } from "../cloud-world";
import { callAndWait, doStep } from "./deployment-step";
import type { DeploymentRecord } from "./deployment-store";
import type { PlannedResource } from "./plan";

const VERSION = "2024-03-01";

// A VM goes before its interfaces, an interface before its network: whatever is refused is tried again once others are gone.
const MAX_ROUNDS = 5;

/** Complete mode: what the group has and the template does not is deleted. https://learn.microsoft.com/azure/azure-resource-manager/templates/deployment-modes */
export async function removeOthers(
  world: CloudWorld,
  record: DeploymentRecord,
  planned: readonly PlannedResource[],
): Promise<readonly ArmErrorBody[]> {
  let errors: readonly ArmErrorBody[] = [];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const others = othersIn(world, record, planned);
    if (others.length === 0) return [];
    const results = await Promise.all(
      others.map((resourceId) =>
        doStep(world, record, {
          provisioningOperation: "Delete",
          resourceId,
          act: () => callAndWait(world, record, { method: "DELETE", id: resourceId, apiVersion: VERSION }),
        }),
      ),
    );
    errors = results.filter((one) => one !== undefined);
    if (errors.length === 0 || errors.length === others.length) break;
  }
  return errors;
}

/** Top-level resources of the group that the template does not have. What a false condition left out is deleted too, as since API version 2019-05-10. */
export function othersIn(
  world: CloudWorld,
  { subscriptionId, group = "" }: Pick<DeploymentRecord, "subscriptionId" | "group">,
  planned: readonly PlannedResource[],
): string[] {
  const kept = planned.filter(({ kind }) => kind !== "skip").map(({ id }) => id);
  return world.resources
    .inGroup(subscriptionId, group)
    .filter(isTopLevel)
    .map(({ id }) => id)
    .filter((id) => !kept.some((one) => isWithin(one, id) || isWithin(id, one)));
}

/** A child goes with its parent. */
const isTopLevel = ({ type }: { readonly type: string }): boolean => type.split("/").length === 2;
