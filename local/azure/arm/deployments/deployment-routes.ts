import { createHash, randomUUID } from "node:crypto";
import { ArmError } from "../arm-error";
import type { ArmLevel } from "../arm-path";
import type { CloudWorld } from "../cloud-world";
import { pageReply } from "../paging";
import { requireGroup } from "../resource-access";
import { actionRoute, type ArmReply, type ArmRequest, type ArmRoute, itemRoute, listRoute } from "../route";
import { deploymentSummary } from "./deployment-summary";
import { type DeploymentRequest, parseDeployment, prepareChecked } from "./deployment-request";
import { type DeploymentRecord, isEnded } from "./deployment-store";
import { deploymentView, DEPLOYMENT_TYPE, stepView } from "./deployment-view";
import { readStatus, statusHeaders } from "./operation-status";
import { beginWhatIf, registerWhatIf } from "./what-if-operation";

/** Deployments of a subscription and of a group: https://learn.microsoft.com/rest/api/resources/deployments */
export function createDeploymentRoutes(world: CloudWorld): ArmRoute[] {
  registerDelete(world);
  registerWhatIf(world);
  return (["subscription", "group"] as const).flatMap((level) => routesAt(world, level));
}

function routesAt(world: CloudWorld, level: ArmLevel): ArmRoute[] {
  const at = [level, DEPLOYMENT_TYPE] as const;
  const sub = (name: string) => [level, `${DEPLOYMENT_TYPE}/${name}`] as const;
  const found = (request: ArmRequest): DeploymentRecord => requireDeployment(world, request);
  return [
    itemRoute("PUT", at, (request) => put(world, request)),
    itemRoute("GET", at, (request) => ({ status: 200, body: deploymentView(found(request)) })),
    itemRoute("HEAD", at, (request) => ({ status: world.deployments.get(idOf(request)) ? 204 : 404 })),
    itemRoute("DELETE", at, (request) => remove(world, request)),
    listRoute(at, (request) => list(world, request)),
    listRoute(sub("operations"), (request) => listSteps(world, request, found(request))),
    itemRoute("GET", sub("operations"), (request) => step(found(request), request)),
    itemRoute("GET", sub("operationStatuses"), (request) => readStatus(world, request)),
    actionRoute(sub("cancel"), (request) => cancel(world, found(request))),
    actionRoute(sub("exportTemplate"), (request) => ({ status: 200, body: { template: found(request).template } })),
    actionRoute(sub("validate"), (request) => validate(world, request)),
    actionRoute(sub("whatIf"), (request) => beginWhatIf(world, request)),
  ];
}

const idOf = ({ path }: ArmRequest): string => `${path.scope}/providers/${DEPLOYMENT_TYPE}/${path.names[0] ?? ""}`;

function requireDeployment(world: CloudWorld, request: ArmRequest): DeploymentRecord {
  if (request.path.group !== undefined) requireGroup(world, request);
  const found = world.deployments.get(idOf(request));
  if (found) return found;
  throw new ArmError(404, {
    code: "DeploymentNotFound",
    message: `Deployment '${request.path.names[0] ?? ""}' could not be found.`,
  });
}

function put(world: CloudWorld, request: ArmRequest): ArmReply {
  const deployment = parseDeployment(world, request);
  const known = world.deployments.get(deployment.id);
  const correlationId = correlationOf(request);
  const templateHash = hashOf(deployment.template);
  if (known && !isEnded(known)) {
    // A deployment that goes on after a restart comes upon the nested one that it had begun.
    const isSame = known.correlationId === correlationId && known.templateHash === templateHash;
    const operation = isSame ? world.operations.get(known.operationId) : undefined;
    if (!operation) throw deploymentActive(known);
    return { status: 200, body: deploymentView(known), operation, headers: statusHeaders(request, known) };
  }
  if (known && known.location !== deployment.location) throw otherLocation(known, deployment);
  const prepared = prepareChecked(world, request, deployment);
  const operation = world.operations.begin({
    kind: "deploy",
    label: request.label,
    resourceId: deployment.id,
    subscriptionId: deployment.subscriptionId,
    provider: "Microsoft.Resources",
    location: deployment.location ?? "global",
    latencyMs: 0,
  });
  const { id, name, subscriptionId, group, location, tags, mode, template } = deployment;
  const now = Date.now();
  const record = world.deployments.put({
    ...{ id, name, subscriptionId, group, location, tags, mode, template, templateHash },
    ...deploymentSummary(world, prepared),
    caller: request.caller,
    correlationId,
    operationId: operation.id,
    state: "Accepted",
    startedAtMs: now,
    changedAtMs: now,
    steps: [],
    outputResources: [],
  });
  return {
    status: known ? 200 : 201,
    body: deploymentView(record),
    operation,
    headers: statusHeaders(request, record),
  };
}

const correlationOf = ({ headers }: ArmRequest): string => {
  const given = headers["x-ms-correlation-request-id"];
  return typeof given === "string" ? given : randomUUID();
};

/** A number, as Azure's is; how it comes about Azure does not say. */
const hashOf = (template: object): string =>
  createHash("sha256").update(JSON.stringify(template)).digest().readBigUInt64BE().toString();

const deploymentActive = ({ name, id, startedAtMs }: DeploymentRecord): ArmError =>
  new ArmError(
    409,
    {
      code: "DeploymentActive",
      message: `Unable to edit or replace deployment '${name}': previous deployment from '${new Date(startedAtMs).toISOString()}' is still active. Please see https://aka.ms/arm-deploy for usage details.`,
    },
    { target: id },
  );

const otherLocation = (known: DeploymentRecord, { location }: DeploymentRequest): ArmError =>
  new ArmError(409, {
    code: "InvalidDeploymentLocation",
    message: `Invalid deployment location '${location ?? ""}'. The deployment '${known.name}' already exists in location '${known.location ?? ""}'.`,
  });

function validate(world: CloudWorld, request: ArmRequest): ArmReply {
  const deployment = parseDeployment(world, request);
  const prepared = prepareChecked(world, request, deployment);
  const { parameters: _secret, shownParameters, providers, dependencies } = deploymentSummary(world, prepared);
  const validated = prepared.planned.filter(({ kind }) => kind === "deploy").map(({ id }) => ({ id }));
  const { id, name, mode, template } = deployment;
  return {
    status: 200,
    body: {
      id,
      name,
      type: DEPLOYMENT_TYPE,
      properties: {
        templateHash: hashOf(template),
        parameters: shownParameters,
        mode,
        provisioningState: "Succeeded",
        timestamp: new Date().toISOString(),
        duration: "PT0S",
        correlationId: correlationOf(request),
        providers,
        dependencies,
        validatedResources: validated,
      },
    },
  };
}

function list(world: CloudWorld, request: ArmRequest): ArmReply {
  const { path, query } = request;
  if (path.group !== undefined) requireGroup(world, request);
  const state = /provisioningState\s+eq\s+'([^']*)'/i.exec(query.get("$filter") ?? "")?.[1]?.toLowerCase();
  const rows = world.deployments
    .at({ subscriptionId: path.subscriptionId ?? "", group: path.group })
    .filter((one) => state === undefined || one.state.toLowerCase() === state);
  // The one that changed last leads.
  const keyOf = ({ changedAtMs, id }: DeploymentRecord): string => `${padded(LAST_MS - changedAtMs)} ${id}`;
  return pageReply(world, request, { rows, keyOf, view: deploymentView, takesTop: true });
}

/** In the order in which they began. */
function listSteps(world: CloudWorld, request: ArmRequest, record: DeploymentRecord): ArmReply {
  const rows = record.steps.map((step, index) => ({ step, key: padded(index) }));
  const view = ({ step }: (typeof rows)[number]) => stepView(record, step);
  return pageReply(world, request, { rows, keyOf: ({ key }) => key, view, takesTop: true });
}

// The end of JavaScript's time.
const LAST_MS = 8_640_000_000_000_000;

const padded = (number: number): string => String(number).padStart(17, "0");

function step(record: DeploymentRecord, { path }: ArmRequest): ArmReply {
  const wanted = (path.names[1] ?? "").toUpperCase();
  const found = record.steps.find(({ operationId }) => operationId === wanted);
  if (found) return { status: 200, body: stepView(record, found) };
  throw new ArmError(404, {
    code: "DeploymentOperationNotFound",
    message: `The deployment operation '${path.names[1] ?? ""}' could not be found.`,
  });
}

/** What has begun goes on to its end; nothing more is begun. */
function cancel(world: CloudWorld, record: DeploymentRecord): ArmReply {
  if (isEnded(record))
    throw new ArmError(409, {
      code: "DeploymentCannotBeCancelled",
      message: `The deployment '${record.name}' cannot be cancelled because it has the provisioning state '${record.state}'.`,
    });
  const error = { code: "DeploymentCanceled", message: `The deployment '${record.name}' was canceled.` };
  world.deployments.change(record.id, { state: "Canceled", error, parameters: {} });
  world.operations.preempt(record.id);
  return { status: 204 };
}

/** Takes the entry out of the history; what was deployed stays. */
function remove(world: CloudWorld, request: ArmRequest): ArmReply {
  if (request.path.group !== undefined) requireGroup(world, request);
  const known = world.deployments.get(idOf(request));
  if (!known) return { status: 204 };
  if (!isEnded(known)) throw deploymentActive(known);
  const operation = world.operations.begin({
    kind: "deleteDeployment",
    label: request.label,
    resourceId: known.id,
    subscriptionId: known.subscriptionId,
    provider: "Microsoft.Resources",
    location: known.location ?? "global",
    latencyMs: 0,
  });
  return { status: 202, operation, follow: "location" };
}

function registerDelete(world: CloudWorld): void {
  world.operations.on("deleteDeployment", {
    complete: ({ resourceId }) => {
      world.deployments.delete(resourceId);
      return Promise.resolve(undefined);
    },
    fail: () => Promise.resolve(),
  });
}
