import { createHash, randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { WireReply } from "../../http/wire";
import type { ArmErrorBody } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import type { DeploymentRecord, DeploymentStep } from "./deployment-store";
import { isMap, type Json } from "./json-value";
import { ResourceWanted, TemplateError } from "./template-error";
import type { TemplateContext } from "./template-context";

export type StepResult = { readonly statusCode: string; readonly error?: ArmErrorBody };

/** Does one step of a deployment and writes down how it went. A step that succeeded before a restart is not done again. */
export async function doStep(
  world: CloudWorld,
  record: DeploymentRecord,
  step: Pick<DeploymentStep, "provisioningOperation" | "resourceId"> & { readonly act: () => Promise<StepResult> },
): Promise<ArmErrorBody | undefined> {
  const { provisioningOperation, resourceId, act } = step;
  const operationId = stepId(`${provisioningOperation} ${resourceId ?? record.id}`);
  const before = world.deployments.get(record.id)?.steps.find((one) => one.operationId === operationId);
  if (before?.state === "Succeeded") return undefined;
  const begun: DeploymentStep = {
    operationId,
    provisioningOperation,
    resourceId,
    state: "Running",
    startedAtMs: before?.startedAtMs ?? Date.now(),
    endedAtMs: Date.now(),
    serviceRequestId: randomUUID(),
  };
  world.deployments.step(record.id, begun);
  const { statusCode, error } = await act();
  world.deployments.step(record.id, {
    ...begun,
    state: error ? "Failed" : "Succeeded",
    endedAtMs: Date.now(),
    statusCode,
    error,
  });
  return error;
}

const stepId = (text: string): string =>
  createHash("sha256").update(text.toLowerCase()).digest("hex").slice(0, 16).toUpperCase();

/** Sends a call in the deployment's name, and waits for the operation that it may begin. */
export async function callAndWait(
  world: CloudWorld,
  { caller, correlationId }: Pick<DeploymentRecord, "caller" | "correlationId">,
  call: { readonly method: "PUT" | "DELETE"; readonly id: string; readonly apiVersion: string; readonly body?: Json },
): Promise<StepResult> {
  const { method, id, apiVersion, body } = call;
  const reply = await world.internalCalls.send({ method, path: id, apiVersion, body, caller, correlationId });
  const statusCode = (STATUS_CODES[reply.status] ?? String(reply.status)).replaceAll(/[^A-Za-z]/g, "");
  if (reply.status >= 400) return { statusCode, error: errorOf(reply) };
  const operationId = operationIdOf(reply);
  if (operationId === undefined) return { statusCode };
  const ended = await world.operations.whenEnded(operationId);
  if (ended.status === "Succeeded") return { statusCode: "OK" };
  const inner = ended.error ?? { code: "OperationPreempted", message: "The operation was canceled." };
  if (inner.code === "DeploymentFailed") return { statusCode: "Conflict", error: inner };
  return { statusCode: "Conflict", error: terminalFailure(id, inner) };
}

const terminalFailure = (id: string, inner: ArmErrorBody): ArmErrorBody => ({
  code: "ResourceDeploymentFailure",
  target: id,
  message:
    "The resource write operation failed to complete successfully, because it reached terminal provisioning state 'Failed'.",
  details: [inner],
});

function errorOf({ body }: WireReply): ArmErrorBody {
  const error = isMap(body) ? body["error"] : undefined;
  if (isMap(error) && typeof error["code"] === "string") return error as unknown as ArmErrorBody; // ARM's own error body
  return {
    code: "InternalServerError",
    message: "The server encountered an internal error. Please retry the request.",
  };
}

function operationIdOf({ headers = {} }: WireReply): string | undefined {
  const url = headers["Azure-AsyncOperation"] ?? headers["Location"];
  if (url === undefined) return undefined;
  const { pathname } = new URL(url);
  return pathname.slice(pathname.lastIndexOf("/") + 1);
}

// Of a resource that the template itself does not have, and of which reference() was not told the version.
const ANY_VERSION = "2024-03-01";

/** Evaluates, reads the resources that the expressions turn out to need, and evaluates again. */
export async function evaluateWithReads<Result>(
  world: CloudWorld,
  { caller, correlationId }: Pick<DeploymentRecord, "caller" | "correlationId">,
  { context, evaluate }: { readonly context: TemplateContext; readonly evaluate: () => Result },
): Promise<Result> {
  for (;;) {
    try {
      return evaluate();
    } catch (error) {
      if (!(error instanceof ResourceWanted)) throw error;
      const reply = await world.internalCalls.send({
        method: "GET",
        path: error.id,
        apiVersion: error.apiVersion ?? ANY_VERSION,
        caller,
        correlationId,
      });
      if (reply.status !== 200) throw new ReferenceRefused(errorOf(reply));
      context.know(error.id, reply.body as Json); // it is sent as JSON
    }
  }
}

/** `reference()` of something that is not there, or that the caller may not read. */
export class ReferenceRefused extends Error {
  override readonly name = "ReferenceRefused";

  constructor(readonly body: ArmErrorBody) {
    super(body.message);
  }
}

/** The error of a step whose expressions could not be evaluated. */
export function expressionFailure(error: unknown, where: string): ArmErrorBody {
  if (error instanceof ReferenceRefused) return error.body;
  if (error instanceof TemplateError)
    return {
      code: "InvalidTemplate",
      message: `Unable to process template language expressions for ${where}. '${error.message}'`,
    };
  throw error;
}
