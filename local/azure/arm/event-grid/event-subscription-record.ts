import type {
  BatchPolicy,
  DeliveryAttribute,
  Destination,
  EventSubscription,
} from "../../../event-grid/event-subscription";
import { DEFAULT_RETRY_POLICY } from "../../../event-grid/retry-policy";
import { baseUrl } from "../../../event-grid/webhook-validation";
import type { CloudWorld } from "../cloud-world";
import { type JsonObject, propertiesOf, type StoredResource } from "../resource-store";
import { type EventSource, sourceOf, parentOf } from "./event-sources";
import type { DestinationBody, SubscriptionProperties } from "./event-subscription-body";
import { defaultSchema, destinationOf } from "./subscription-checks";
import { deliveryIdentity } from "./topic-identity";

/** What is kept of an event subscription and shown in no GET. */
export interface SubscriptionSecrets {
  /** As it was written: with whole URLs and secret values. */
  readonly given: SubscriptionProperties;
  /** The address that agreed; another one has to agree first. */
  readonly validatedUrl?: string;
  readonly validation?: PendingValidation;
}

export interface PendingValidation {
  readonly code: string;
  readonly token: string;
  readonly expiresAtMs: number;
  /** Somebody opened the URL before the webhook had answered. */
  readonly isConfirmed?: boolean;
}

export const secretsOf = ({ hidden }: StoredResource): SubscriptionSecrets => hidden as unknown as SubscriptionSecrets; // written below and by the routes

export const urlOf = (given: SubscriptionProperties): string | undefined => {
  const destination = destinationOf(given);
  return destination.endpointType === "WebHook" ? destination.properties.endpointUrl : undefined;
};

/** `Failed` once nobody has opened the URL in time; the row itself stays as it is. */
export function stateOf(resource: StoredResource, nowMs: number): string {
  const state = String(propertiesOf(resource)["provisioningState"]);
  const expiresAtMs = secretsOf(resource).validation?.expiresAtMs ?? 0;
  return state === "AwaitingManualAction" && expiresAtMs <= nowMs ? "Failed" : state;
}

/** As a GET answers it: the validation may have run out meanwhile. */
export function shown(resource: StoredResource): JsonObject {
  const provisioningState = stateOf(resource, Date.now());
  return { ...resource.body, properties: { ...propertiesOf(resource), provisioningState } };
}

/** Do events go there? While an update runs they do, as long as it does not change the webhook. */
export function isLive(resource: StoredResource, nowMs: number): boolean {
  const { given, validatedUrl } = secretsOf(resource);
  const url = urlOf(given);
  const agreed = url === undefined || url === validatedUrl;
  return agreed && ["Succeeded", "Updating"].includes(stateOf(resource, nowMs));
}

export function isExpired(resource: StoredResource, nowMs: number): boolean {
  const { expirationTimeUtc } = secretsOf(resource).given;
  return Boolean(expirationTimeUtc) && Date.parse(expirationTimeUtc ?? "") <= nowMs;
}

/** The properties as a GET shows them: webhooks without their query, secret values hidden. */
export function shownProperties(given: SubscriptionProperties, source: EventSource, topic: string): JsonObject {
  const { deliveryWithResourceIdentity, destination, filter, retryPolicy } = given;
  const types =
    filter?.includedEventTypes ?? (source.topicType.eventTypes.length > 0 ? source.topicType.eventTypes : null);
  return {
    topic,
    provisioningState: "Succeeded",
    labels: given.labels ?? [],
    filter: {
      ...filter,
      subjectBeginsWith: filter?.subjectBeginsWith ?? "",
      subjectEndsWith: filter?.subjectEndsWith ?? "",
      ...(types ? { includedEventTypes: types } : {}),
    },
    eventDeliverySchema: given.eventDeliverySchema ?? defaultSchema(source),
    retryPolicy: { ...DEFAULT_RETRY_POLICY, ...withoutNull(retryPolicy ?? {}) },
    ...(destination ? { destination: shownDestination(destination) } : {}),
    ...(deliveryWithResourceIdentity
      ? {
          deliveryWithResourceIdentity: {
            ...deliveryWithResourceIdentity,
            destination: shownDestination(deliveryWithResourceIdentity.destination),
          },
        }
      : {}),
    ...withoutNull({
      expirationTimeUtc: given.expirationTimeUtc,
      deadLetterDestination: given.deadLetterDestination,
      deadLetterWithResourceIdentity: given.deadLetterWithResourceIdentity,
    }),
  };
}

const withoutNull = (given: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined));

function shownDestination({ endpointType, properties }: DestinationBody): JsonObject {
  const { endpointUrl, deliveryAttributeMappings, ...rest } = properties as Record<string, unknown>; // one of the destinations of the body
  const url = typeof endpointUrl === "string" ? { endpointBaseUrl: baseUrl(endpointUrl) } : {};
  const batch =
    endpointType === "WebHook" || endpointType === "AzureFunction"
      ? { maxEventsPerBatch: 1, preferredBatchSizeInKilobytes: 64 }
      : {};
  const mappings = Array.isArray(deliveryAttributeMappings)
    ? { deliveryAttributeMappings: deliveryAttributeMappings.map((one) => maskSecret(one as JsonObject)) }
    : {};
  return { endpointType, properties: { ...batch, ...url, ...withoutNull(rest), ...mappings } };
}

function maskSecret(mapping: JsonObject): JsonObject {
  const properties = mapping["properties"] as JsonObject; // checked by the body's schema
  return properties["isSecret"] === true ? { ...mapping, properties: { ...properties, value: "Hidden" } } : mapping;
}

/** The subscription as the delivery engine needs it; undefined when its topic is gone. */
export function toEngine(world: CloudWorld, resource: StoredResource): EventSubscription | undefined {
  const source = sourceOf(world, parentOf(resource));
  if (!source) return undefined;
  const { given } = secretsOf(resource);
  const { deadLetterDestination, deadLetterWithResourceIdentity, filter } = given;
  const deadLetter = deadLetterDestination ?? deadLetterWithResourceIdentity?.deadLetterDestination;
  return {
    id: resource.id,
    name: resource.name,
    filter: withoutNull({ ...filter }), // the body's schema without its nulls
    schema: given.eventDeliverySchema ?? defaultSchema(source),
    retry: { ...DEFAULT_RETRY_POLICY, ...withoutNull(given.retryPolicy ?? {}) },
    destination: toDestination(destinationOf(given)),
    identity: deliveryIdentity(world, source.topic, given.deliveryWithResourceIdentity?.identity),
    deadLetter: deadLetter && {
      resourceId: deadLetter.properties.resourceId,
      container: deadLetter.properties.blobContainerName,
      identity: deliveryIdentity(world, source.topic, deadLetterWithResourceIdentity?.identity),
    },
  };
}

function toDestination(destination: DestinationBody): Destination {
  switch (destination.endpointType) {
    case "WebHook": {
      const { endpointUrl, azureActiveDirectoryApplicationIdOrUri: application } = destination.properties;
      const entra = application ? { entraApplication: application } : {};
      return { kind: "WebHook", url: endpointUrl, ...entra, ...batchAndAttributes(destination.properties) };
    }
    case "AzureFunction": {
      const { resourceId } = destination.properties;
      return { kind: "AzureFunction", resourceId, ...batchAndAttributes(destination.properties) };
    }
    case "ServiceBusQueue":
    case "ServiceBusTopic": {
      const { resourceId, deliveryAttributeMappings } = destination.properties;
      return { kind: destination.endpointType, resourceId, attributes: attributesOf(deliveryAttributeMappings) };
    }
    case "StorageQueue": {
      const { resourceId, queueName, queueMessageTimeToLiveInSeconds } = destination.properties;
      return {
        kind: "StorageQueue",
        resourceId,
        queueName,
        timeToLiveSeconds: queueMessageTimeToLiveInSeconds ?? undefined,
      };
    }
  }
}

type Mappings = Extract<DestinationBody, { endpointType: "WebHook" }>["properties"]["deliveryAttributeMappings"];

function batchAndAttributes(properties: {
  readonly maxEventsPerBatch?: number | null | undefined;
  readonly preferredBatchSizeInKilobytes?: number | null | undefined;
  readonly deliveryAttributeMappings?: Mappings;
}): { batch: BatchPolicy; attributes: DeliveryAttribute[] } {
  const { maxEventsPerBatch: events, preferredBatchSizeInKilobytes: kilobytes } = properties;
  const maxEvents = events ?? 1;
  return {
    // The clients send the defaults, 1 and 64, of their own accord: only more than one event is a batch.
    batch: { maxEvents, preferredBytes: (kilobytes ?? 64) * 1024, isOn: maxEvents > 1 },
    attributes: attributesOf(properties.deliveryAttributeMappings),
  };
}

export function attributesOf(mappings: Mappings): DeliveryAttribute[] {
  return (mappings ?? []).map((one) =>
    one.type === "Static"
      ? { name: one.name, value: one.properties.value }
      : { name: one.name, sourceField: one.properties.sourceField },
  );
}
