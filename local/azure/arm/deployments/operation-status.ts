import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import type { ArmReply, ArmRequest } from "../route";
import type { DeploymentRecord } from "./deployment-store";

/** Deployments have an operation URL of their own: `…/deployments/<name>/operationStatuses/<id>`. */
export function statusUrl(
  { headers, apiVersion }: ArmRequest,
  { id, operationId }: Pick<DeploymentRecord, "id" | "operationId">,
): string {
  return `https://${headers.host ?? "localhost"}${id}/operationStatuses/${operationId}?api-version=${apiVersion}`;
}

export const statusHeaders = (request: ArmRequest, record: DeploymentRecord): Record<string, string> => ({
  "Azure-AsyncOperation": statusUrl(request, record),
});

// Without it command lines ask every half minute.
export const RETRY_SECONDS = 10;

const STATUS = { InProgress: "Running", Succeeded: "Succeeded", Failed: "Failed", Canceled: "Canceled" } as const;

/** The state of a deployment's operation; for a what-if 202 until its result is there. */
export function readStatus(world: CloudWorld, request: ArmRequest): ArmReply {
  const id = request.path.names[1] ?? "";
  const operation = world.operations.get(id);
  if (!operation) throw new ArmError(404, { code: "NotFound", message: `The operation '${id}' was not found.` });
  const { status, error } = operation;
  const retry = status === "InProgress" ? world.latencies.retryAfter(RETRY_SECONDS) : {};
  if (operation.kind !== "whatIf")
    return { status: 200, body: { status: STATUS[status], ...(error ? { error } : {}) }, headers: retry };
  if (status === "InProgress")
    return {
      status: 202,
      headers: {
        Location: statusUrl(request, { id: operation.resourceId, operationId: id }),
        ...retry,
      },
    };
  const result = world.deployments.whatIf(id);
  if (!result) return { status: 200, body: { status: "Failed", error: error ?? NO_RESULT } };
  return { status: 200, body: { status: "Succeeded", properties: { changes: result["changes"] } } };
}

const NO_RESULT = { code: "WhatIfResultNotFound", message: "The result of the what-if is no longer there." };
