import { z } from "zod";
import { ADVANCED_OPERATORS, type AdvancedOperator, operandKindOf } from "../../../event-grid/event-filter";
import { SubscriptionIdentityBody } from "./topic-identity";

const Attribute = z.discriminatedUnion("type", [
  z.looseObject({
    name: z.string().min(1),
    type: z.literal("Static"),
    properties: z.looseObject({ value: z.string(), isSecret: z.boolean().optional() }),
  }),
  z.looseObject({
    name: z.string().min(1),
    type: z.literal("Dynamic"),
    properties: z.looseObject({ sourceField: z.string().min(1) }),
  }),
]);
const attributes = z.array(Attribute).max(10).nullish();
const maxEventsPerBatch = z.number().int().min(1).max(5000).nullish();
const preferredBatchSizeInKilobytes = z.number().int().min(1).max(1024).nullish();
const resourceId = z.string().regex(/^\/subscriptions\/[^/]+\/resourceGroups\/.+\/providers\/.+/i);

const WebHook = z.looseObject({
  endpointUrl: z.string(),
  maxEventsPerBatch,
  preferredBatchSizeInKilobytes,
  azureActiveDirectoryTenantId: z.string().nullish(),
  azureActiveDirectoryApplicationIdOrUri: z.string().nullish(),
  deliveryAttributeMappings: attributes,
});
const AzureFunction = z.looseObject({
  resourceId,
  maxEventsPerBatch,
  preferredBatchSizeInKilobytes,
  deliveryAttributeMappings: attributes,
});
const ServiceBus = z.looseObject({ resourceId, deliveryAttributeMappings: attributes });
const StorageQueue = z.looseObject({
  resourceId,
  queueName: z.string().min(3).max(63),
  queueMessageTimeToLiveInSeconds: z.number().int().min(-1).nullish(),
});

/** Event hubs, hybrid connections and the rest are refused by name: the embedded cloud has none. */
export const DestinationBody = z.discriminatedUnion("endpointType", [
  z.looseObject({ endpointType: z.literal("WebHook"), properties: WebHook }),
  z.looseObject({ endpointType: z.literal("AzureFunction"), properties: AzureFunction }),
  z.looseObject({ endpointType: z.literal("ServiceBusQueue"), properties: ServiceBus }),
  z.looseObject({ endpointType: z.literal("ServiceBusTopic"), properties: ServiceBus }),
  z.looseObject({ endpointType: z.literal("StorageQueue"), properties: StorageQueue }),
]);
export type DestinationBody = z.infer<typeof DestinationBody>;

const operand = z.union([z.string().max(512), z.number(), z.boolean()]);
const operators = ADVANCED_OPERATORS as [AdvancedOperator, ...AdvancedOperator[]];
const Advanced = z
  .strictObject({
    operatorType: z.enum(operators),
    key: z.string().min(1),
    value: operand.optional(),
    values: z.array(z.union([operand, z.array(z.number()).length(2)])).optional(),
  })
  .superRefine((filter, context) => {
    const kind = operandKindOf(filter.operatorType);
    const given = filter.values ?? (filter.value === undefined ? [] : [filter.value]);
    if (kind === "nothing") return;
    const fits = given.every((one) => (kind === "range" ? Array.isArray(one) : typeof one === kind));
    if (given.length === 0 || !fits)
      context.addIssue({
        code: "custom",
        message: `The operator ${filter.operatorType} needs values of type ${kind}.`,
      });
  });

const Filter = z.strictObject({
  subjectBeginsWith: z.string().nullish(),
  subjectEndsWith: z.string().nullish(),
  includedEventTypes: z.array(z.string()).nullish(),
  isSubjectCaseSensitive: z.boolean().nullish(),
  enableAdvancedFilteringOnArrays: z.boolean().nullish(),
  advancedFilters: z.array(Advanced).nullish(),
});

const DeadLetter = z.looseObject({
  endpointType: z.literal("StorageBlob"),
  properties: z.looseObject({ resourceId, blobContainerName: z.string().min(3).max(63) }),
});

/** What may be written, in a PUT below `properties` and in a PATCH at the top. */
export const SubscriptionProperties = z.strictObject({
  topic: z.unknown().optional(),
  provisioningState: z.unknown().optional(),
  destination: DestinationBody.nullish(),
  deliveryWithResourceIdentity: z
    .looseObject({ identity: SubscriptionIdentityBody, destination: DestinationBody })
    .nullish(),
  filter: Filter.nullish(),
  labels: z.array(z.string()).nullish(),
  expirationTimeUtc: z.string().nullish(),
  eventDeliverySchema: z.enum(["EventGridSchema", "CloudEventSchemaV1_0", "CustomInputSchema"]).nullish(),
  retryPolicy: z
    .looseObject({
      maxDeliveryAttempts: z.number().int().min(1).max(30).nullish(),
      eventTimeToLiveInMinutes: z.number().int().min(1).max(1440).nullish(),
    })
    .nullish(),
  deadLetterDestination: DeadLetter.nullish(),
  deadLetterWithResourceIdentity: z
    .looseObject({ identity: SubscriptionIdentityBody, deadLetterDestination: DeadLetter })
    .nullish(),
});
export type SubscriptionProperties = z.infer<typeof SubscriptionProperties>;

export const SubscriptionBody = z.looseObject({ properties: SubscriptionProperties });
