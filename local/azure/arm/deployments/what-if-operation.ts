import type { CloudWorld } from "../cloud-world";
import type { Caller } from "../resource-events";
import type { ArmReply, ArmRequest } from "../route";
import { type DeploymentRequest, parseDeployment, prepareChecked } from "./deployment-request";
import { RETRY_SECONDS, statusUrl } from "./operation-status";
import { whatIf } from "./what-if";

interface WhatIfInput {
  readonly deployment: DeploymentRequest;
  readonly caller: Caller;
  readonly correlationId: string;
}

/** What-if: 202, then the changes that the deployment would make. https://learn.microsoft.com/azure/azure-resource-manager/templates/deploy-what-if */
export function beginWhatIf(world: CloudWorld, request: ArmRequest): ArmReply {
  const deployment = parseDeployment(world, request);
  prepareChecked(world, request, deployment);
  const given = request.headers["x-ms-correlation-request-id"];
  const correlationId = typeof given === "string" ? given : "";
  const input: WhatIfInput = { deployment, caller: request.caller, correlationId };
  const operation = world.operations.begin({
    kind: "whatIf",
    label: request.label,
    // Beside the deployment, which may be in an operation of its own.
    resourceId: deployment.id,
    subscriptionId: deployment.subscriptionId,
    provider: "Microsoft.Resources",
    location: deployment.location ?? "global",
    latencyMs: 0,
    input: { whatIf: JSON.stringify(input) },
  });
  const Location = statusUrl(request, { id: deployment.id, operationId: operation.id });
  return { status: 202, headers: { Location, ...world.latencies.retryAfter(RETRY_SECONDS) } };
}

export function registerWhatIf(world: CloudWorld): void {
  world.operations.on("whatIf", {
    complete: async ({ id, input }) => {
      // `beginWhatIf` wrote it.
      const { deployment, ...origin } = JSON.parse(input["whatIf"] ?? "{}") as WhatIfInput;
      const changes = await whatIf(world, deployment, origin);
      world.deployments.keepWhatIf(id, { changes });
      return undefined;
    },
    fail: () => Promise.resolve(),
  });
}
