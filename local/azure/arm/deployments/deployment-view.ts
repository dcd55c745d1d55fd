import type { JsonObject } from "../resource-store";
import type { DeploymentRecord, DeploymentStep } from "./deployment-store";
import { partsOf } from "./resource-ids";

export const DEPLOYMENT_TYPE = "Microsoft.Resources/deployments";

/** A deployment as a GET answers it; what nobody gives is left out. */
export function deploymentView(record: DeploymentRecord): JsonObject {
  const { id, name, location, tags } = record;
  return {
    id,
    name,
    type: DEPLOYMENT_TYPE,
    ...(location === undefined ? {} : { location }),
    ...(tags ? { tags } : {}),
    properties: {
      templateHash: record.templateHash,
      parameters: record.shownParameters,
      mode: record.mode,
      provisioningState: record.state,
      timestamp: new Date(record.changedAtMs).toISOString(),
      duration: durationOf(record.startedAtMs, record.changedAtMs),
      correlationId: record.correlationId,
      providers: record.providers,
      dependencies: record.dependencies,
      ...(record.outputs ? { outputs: record.outputs } : {}),
      ...(record.state === "Succeeded" ? { outputResources: record.outputResources.map((one) => ({ id: one })) } : {}),
      ...(record.error ? { error: record.error } : {}),
    },
  };
}

/** ISO 8601, as `PT1.2345S`. */
const durationOf = (fromMs: number, toMs: number): string => `PT${Math.max(0, toMs - fromMs) / 1000}S`;

export function stepView(record: DeploymentRecord, step: DeploymentStep): JsonObject {
  const { operationId, provisioningOperation, state, statusCode, error, resourceId } = step;
  const target = resourceId === undefined ? undefined : partsOf(resourceId);
  return {
    id: `${record.id}/operations/${operationId}`,
    operationId,
    properties: {
      provisioningOperation,
      provisioningState: state,
      timestamp: new Date(step.endedAtMs).toISOString(),
      duration: durationOf(step.startedAtMs, step.endedAtMs),
      serviceRequestId: step.serviceRequestId,
      ...(statusCode === undefined ? {} : { statusCode }),
      ...(error ? { statusMessage: { status: "Failed", error } } : {}),
      ...(target ? { targetResource: { id: resourceId, resourceType: target.type, resourceName: target.name } } : {}),
    },
  };
}
