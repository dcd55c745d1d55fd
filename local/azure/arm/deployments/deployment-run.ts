import type { ArmErrorBody } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { prepare, type PreparedDeployment } from "./deployment-context";
import { outputsOf } from "./deployment-outputs";
import { callAndWait, doStep, evaluateWithReads, expressionFailure, type StepResult } from "./deployment-step";
import { type DeploymentRecord, isEnded } from "./deployment-store";
import { removeOthers } from "./complete-mode";
import { DEPLOYMENT_TYPE } from "./deployment-view";
import type { Json } from "./json-value";
import type { PlannedResource } from "./plan";
import { bodyOf } from "./resource-body";

/** A deployment's operation does the deployment; after a restart it is done again, and finds what has been done. */
export function registerDeployments(world: CloudWorld): void {
  world.operations.on("deploy", {
    complete: async ({ resourceId }) => {
      const record = world.deployments.get(resourceId);
      if (!record || isEnded(record)) return record?.error;
      return await run(world, record);
    },
    fail: ({ resourceId }, error) => {
      const record = world.deployments.get(resourceId);
      if (record && !isEnded(record)) world.deployments.change(resourceId, { state: "Failed", error, parameters: {} });
      return Promise.resolve();
    },
  });
}

async function run(world: CloudWorld, record: DeploymentRecord): Promise<ArmErrorBody | undefined> {
  world.deployments.change(record.id, { state: "Running" });
  const given = Object.fromEntries(Object.entries(record.parameters).map(([name, value]) => [name, { value }]));
  const prepared = prepare(world, { ...record, given });
  const errors = await runResources(world, record, prepared);
  const failed = errors.length > 0 ? errors : await finish(world, record, prepared);
  const error = failed.length > 0 ? deploymentFailed(record, failed) : undefined;
  // It may have been cancelled, or its group deleted, in the meantime.
  if (world.operations.isInProgress(record.operationId))
    world.deployments.change(record.id, {
      state: error ? "Failed" : "Succeeded",
      error,
      parameters: {},
      outputResources: outputResources(world, prepared),
    });
  return error;
}

/** Each resource begins as soon as all that it depends on is done; what stands behind a failure is not begun. */
async function runResources(
  world: CloudWorld,
  record: DeploymentRecord,
  prepared: PreparedDeployment,
): Promise<ArmErrorBody[]> {
  const errors: ArmErrorBody[] = [];
  const done = new Map<string, Promise<boolean>>();
  const byId = new Map(prepared.planned.map((one) => [one.id.toLowerCase(), one]));
  const settle = (one: PlannedResource): Promise<boolean> => {
    const key = one.id.toLowerCase();
    const known = done.get(key);
    if (known) return known;
    const before = one.dependsOn.flatMap((id) => byId.get(id) ?? []).map(settle);
    const result = Promise.all(before).then(async (ready) => {
      if (!ready.every(Boolean) || !world.operations.isInProgress(record.operationId)) return false;
      if (one.kind !== "deploy") return true;
      const error = await deployOne(world, record, { prepared, one });
      if (error) errors.push(error);
      return !error;
    });
    done.set(key, result);
    return result;
  };
  // All are waited for, so that none goes on behind a deployment that has ended.
  const settled = await Promise.allSettled(prepared.planned.map(settle));
  const thrown = settled.find((one) => one.status === "rejected");
  if (thrown) throw thrown.reason;
  return errors;
}

function deployOne(
  world: CloudWorld,
  record: DeploymentRecord,
  { prepared, one }: { prepared: PreparedDeployment; one: PlannedResource },
): Promise<ArmErrorBody | undefined> {
  const { context } = prepared;
  return doStep(world, record, {
    provisioningOperation: "Create",
    resourceId: one.id,
    act: async (): Promise<StepResult> => {
      let body: Json;
      try {
        body = await evaluateWithReads(world, record, { context, evaluate: () => bodyOf(one, context) });
      } catch (error) {
        return {
          statusCode: "BadRequest",
          error: expressionFailure(error, `resource '${one.id}' at line '1' and column '1'`),
        };
      }
      const { id, apiVersion } = one;
      const result = await callAndWait(world, record, { method: "PUT", id, apiVersion, body });
      context.forget(id);
      return result;
    },
  });
}

/** What comes when every resource is there: in complete mode the deletion of all others, then the outputs. */
async function finish(
  world: CloudWorld,
  record: DeploymentRecord,
  prepared: PreparedDeployment,
): Promise<readonly ArmErrorBody[]> {
  if (!world.operations.isInProgress(record.operationId)) return [];
  const removal = record.mode === "Complete" ? await removeOthers(world, record, prepared.planned) : [];
  if (removal.length > 0) return removal;
  const { template, context } = prepared;
  if (Object.keys(template.outputs).length === 0) return [];
  const error = await doStep(world, record, {
    provisioningOperation: "EvaluateDeploymentOutput",
    resourceId: undefined,
    act: async () => {
      try {
        const evaluate = () => outputsOf(template, context);
        const outputs = await evaluateWithReads(world, record, { context, evaluate });
        world.deployments.change(record.id, { outputs });
        return { statusCode: "OK" };
      } catch (failure) {
        return { statusCode: "BadRequest", error: expressionFailure(failure, "the template outputs") };
      }
    },
  });
  return error ? [error] : [];
}

const deploymentFailed = ({ id }: DeploymentRecord, details: readonly ArmErrorBody[]): ArmErrorBody => ({
  code: "DeploymentFailed",
  target: id,
  message:
    "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.",
  details,
});

/** With those of the nested deployments, as Azure shows them. */
function outputResources(world: CloudWorld, { planned }: PreparedDeployment): string[] {
  return planned
    .filter(({ kind }) => kind === "deploy")
    .flatMap(({ id, type }) =>
      type.toLowerCase() === DEPLOYMENT_TYPE.toLowerCase()
        ? [...(world.deployments.get(id)?.outputResources ?? [])]
        : [id],
    );
}
