import { z } from "zod";
import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { enumOf } from "../enum-of";
import { parseBody } from "../parse-body";
import { requireGroup, requireLocation } from "../resource-access";
import type { ArmRequest } from "../route";
import { type PreparedDeployment, prepare } from "./deployment-context";
import { isMap, type Json, type JsonMap } from "./json-value";
import type { DeploymentTarget } from "./resource-ids";
import { invalidTemplate, withTemplateErrors } from "./template-error";
import type { GivenParameters } from "./template-parameters";

const DeploymentBody = z.looseObject({
  location: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.looseObject({
    mode: enumOf(["Incremental", "Complete"]),
    template: z.custom<JsonMap>((value) => isMap(value)).optional(),
    parameters: z
      .record(z.string(), z.looseObject({ value: z.custom<Json>().optional(), reference: z.unknown().optional() }))
      .optional(),
    templateLink: z.unknown().optional(),
    parametersLink: z.unknown().optional(),
    onErrorDeployment: z.unknown().optional(),
    whatIfSettings: z.looseObject({ resultFormat: z.string().optional() }).optional(),
  }),
});

export interface DeploymentRequest extends DeploymentTarget {
  readonly id: string;
  readonly name: string;
  readonly location: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly mode: "Incremental" | "Complete";
  readonly template: JsonMap;
  readonly given: GivenParameters;
  readonly resultFormat: string;
}

const NAME = /^[-\w._()]{1,64}$/;

/** What a PUT, a validation and a what-if have in common; the template is only taken, and not looked into. */
export function parseDeployment(world: CloudWorld, request: ArmRequest): DeploymentRequest {
  const { path } = request;
  const name = path.names[0] ?? "";
  if (!NAME.test(name))
    throw new ArmError(400, {
      code: "InvalidDeploymentName",
      message: `The deployment name '${name}' is not valid: it may have up to 64 letters, digits, '-', '_', '.' and parentheses.`,
    });
  const group = path.group === undefined ? undefined : requireGroup(world, request).name;
  const { location: given, tags, properties } = parseBody(DeploymentBody, request.body);
  const { mode, template, parameters = {}, whatIfSettings } = properties;
  refuseLinks(properties);
  if (!template) throw invalidTemplate("The template is missing");
  if (group === undefined && mode === "Complete")
    throw new ArmError(400, {
      code: "InvalidRequestContent",
      message:
        "The deployment mode 'Complete' is not supported at the scope of a subscription. Please use 'Incremental'.",
    });
  const location =
    group === undefined ? requireLocation(world, { given, type: "Microsoft.Resources/deployments" }) : undefined;
  const subscriptionId = path.subscriptionId ?? "";
  const target = { subscriptionId, group };
  const id = `${path.scope}/providers/Microsoft.Resources/deployments/${name}`;
  const resultFormat = whatIfSettings?.resultFormat ?? "FullResourcePayloads";
  return { ...target, id, name, location, tags, mode, template, given: parameters, resultFormat };
}

function refuseLinks(properties: Readonly<Record<string, unknown>>): void {
  for (const name of ["templateLink", "parametersLink", "onErrorDeployment"])
    if (properties[name] !== undefined)
      throw new ArmError(400, {
        code: "InvalidTemplateDeployment",
        message: `The simulator does not have '${name}' of a deployment: the template and its parameters must be in the request.`,
      });
}

/** Reads and plans the template, and makes sure that the caller may write all of it before anything is begun. */
export function prepareChecked(
  world: CloudWorld,
  request: ArmRequest,
  deployment: DeploymentRequest,
): PreparedDeployment {
  const prepared = withTemplateErrors(() => prepare(world, deployment));
  const { objectId, appId } = request.caller;
  const refused = prepared.planned
    .filter(({ kind }) => kind === "deploy")
    .map((one) => ({ ...one, action: `${permissionType(one.type)}/write` }))
    .filter(({ id, action }) => !world.access.findGrant({ principalId: objectId, action, scope: id }));
  if (refused.length === 0) return prepared;
  const reasons = refused.map(
    ({ id, name, type, action }) =>
      `Authorization failed for template resource '${name}' of type '${type}'. The client '${appId}' with object id '${objectId}' does not have permission to perform action '${action}' at scope '${id}'.`,
  );
  throw new ArmError(403, {
    code: "InvalidTemplateDeployment",
    message: `Deployment failed with multiple errors: '${reasons.join(":")}'`,
  });
}

/** Groups are written under the name of their path; of an extension in the old spelling the last provider counts. */
function permissionType(type: string): string {
  if (/^microsoft\.resources\/resourcegroups$/i.test(type)) return "Microsoft.Resources/subscriptions/resourceGroups";
  return type;
}
