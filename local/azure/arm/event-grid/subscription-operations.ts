import { randomBytes, randomUUID } from "node:crypto";
import type { Validation, ValidationQuestion } from "../../../event-grid/webhook-validation";
import type { ArmErrorBody } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { type JsonObject, propertiesOf, type StoredResource } from "../resource-store";
import { parentOf, SUBSCRIPTION_TYPES } from "./event-sources";
import { attributesOf, type PendingValidation, secretsOf, stateOf, urlOf } from "./event-subscription-record";
import { destinationOf } from "./subscription-checks";

export const VALIDATE_KIND = "write event subscription";
export const DELETE_KIND = "delete event subscription";

/** So long may somebody open the validation URL: https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema */
const VALIDATION_MS = 10 * 60_000;

export interface SubscriptionWork {
  readonly speed: number;
  readonly baseUrl: () => string;
  readonly validate: (question: ValidationQuestion) => Promise<Validation>;
  readonly tokenFor: (application: string) => Promise<string>;
  /** The subscription may be delivered to now, or not any more. */
  readonly onChange: () => void;
  readonly onDeleted: (id: string) => void;
}

/** What the operations on event subscriptions do when their time has come. */
export function registerSubscriptionOperations(world: CloudWorld, work: SubscriptionWork): void {
  world.operations.on(VALIDATE_KIND, {
    complete: ({ resourceId }) => complete(world, work, resourceId),
    fail: ({ resourceId }) => {
      world.resources.changeProperties(resourceId, { provisioningState: "Failed" });
      return Promise.resolve();
    },
  });
  world.operations.on(DELETE_KIND, {
    complete: ({ resourceId }) => {
      removeSubscription(world, work, resourceId);
      return Promise.resolve(undefined);
    },
    fail: ({ resourceId }) => {
      world.resources.changeProperties(resourceId, { provisioningState: "Failed" });
      return Promise.resolve();
    },
  });
}

export function removeSubscription(world: CloudWorld, work: Pick<SubscriptionWork, "onDeleted">, id: string): void {
  world.resources.delete(id);
  world.access.forgetScope(id);
  work.onDeleted(id);
}

async function complete(world: CloudWorld, work: SubscriptionWork, id: string): Promise<ArmErrorBody | undefined> {
  const resource = world.resources.get(id);
  const url = resource && urlOf(secretsOf(resource).given);
  if (resource && url !== undefined) {
    const pending = newValidation(work);
    world.resources.change(id, { hidden: { validation: pending } });
    const validation = await work.validate(await questionOf(work, resource, { url, pending }));
    if (validation.kind === "refused") return { code: "Url validation", message: validation.message };
    settle(world, id, { url, validation });
  } else world.resources.changeProperties(id, { provisioningState: "Succeeded" });
  work.onChange();
  return undefined;
}

function settle(world: CloudWorld, id: string, { url, validation }: { url: string; validation: Validation }): void {
  const current = world.resources.get(id);
  if (!current) return;
  const isConfirmed = validation.kind === "confirmed" || secretsOf(current).validation?.isConfirmed === true;
  const provisioningState = isConfirmed ? "Succeeded" : "AwaitingManualAction";
  world.resources.change(id, {
    body: { properties: { ...propertiesOf(current), provisioningState } },
    hidden: isConfirmed ? { validatedUrl: url, validation: undefined } : {},
  });
}

function newValidation({ speed }: SubscriptionWork): PendingValidation {
  const token = randomBytes(24).toString("base64url");
  return { code: randomUUID().toUpperCase(), token, expiresAtMs: Date.now() + VALIDATION_MS / speed };
}

async function questionOf(
  work: SubscriptionWork,
  resource: StoredResource,
  { url, pending }: { url: string; pending: PendingValidation },
): Promise<ValidationQuestion> {
  const { given } = secretsOf(resource);
  const destination = destinationOf(given);
  const properties = destination.properties as JsonObject; // of whichever kind; read by name below
  const mappings = destination.endpointType === "WebHook" ? destination.properties.deliveryAttributeMappings : [];
  const fixed = attributesOf(mappings).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
  const application = properties["azureActiveDirectoryApplicationIdOrUri"];
  const entra = typeof application === "string" ? { authorization: `Bearer ${await work.tokenFor(application)}` } : {};
  const query = new URLSearchParams({
    id: pending.code,
    t: new Date().toISOString(),
    apiVersion: "2022-06-15",
    token: pending.token,
  });
  return {
    url,
    subscriptionName: resource.name,
    topic: parentOf(resource),
    schema: propertiesOf(resource)["eventDeliverySchema"] as ValidationQuestion["schema"], // checked by the body's schema
    validationCode: pending.code,
    validationUrl: `${work.baseUrl()}/eventgrid/eventsubscriptions/${encodeURIComponent(resource.name)}/validate?${query.toString()}`,
    headers: { ...(Object.fromEntries(fixed) as Record<string, string>), ...entra },
  };
}

/** Somebody opened the validation URL. Answers whether it was one, and in time. */
export function confirmByUrl(
  world: CloudWorld,
  work: SubscriptionWork,
  { code, token }: { code: string; token: string },
): boolean {
  const found = SUBSCRIPTION_TYPES.flatMap((type) => world.resources.ofType(type)).find((one) => {
    const { validation } = secretsOf(one);
    return validation?.token === token && validation.code === code && validation.expiresAtMs > Date.now();
  });
  if (!found) return false;
  const { validation, given } = secretsOf(found);
  if (stateOf(found, Date.now()) === "AwaitingManualAction") {
    const url = urlOf(given);
    settle(world, found.id, { url: url ?? "", validation: { kind: "confirmed" } });
    work.onChange();
  } else world.resources.change(found.id, { hidden: { validation: { ...validation, isConfirmed: true } } });
  return true;
}
