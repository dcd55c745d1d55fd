import { ArmError } from "../arm-error";

/** What the provider Microsoft.EventGrid refuses, in its words: https://learn.microsoft.com/azure/event-grid/troubleshoot-errors */

export const invalidRequest = (message: string): ArmError => new ArmError(400, { code: "InvalidRequest", message });

export const invalidSubscription = (reason: string): ArmError =>
  invalidRequest(`Invalid event subscription request: ${reason}`);

export const invalidExpiration = (): ArmError =>
  invalidRequest("Invalid expiration time. It must be a valid time in the future.");

export const topicNameLength = (): ArmError =>
  invalidRequest(
    "Topic name must be between 3 and 50 characters in length, and may hold only alphanumeric letters, digits and the '-' character.",
  );

export const topicNameTaken = (): ArmError =>
  new ArmError(409, {
    code: "Conflict",
    message: "Topic with the specified name already exists. Choose a different topic name.",
  });

export const quotaReached = (what: string, limit: number): ArmError =>
  new ArmError(409, {
    code: "Conflict",
    message: `Quota limit reached: ${limit} ${what}. For more information on these limits, see https://aka.ms/eg-limits.`,
  });

export const oneTopicForSource = (): ArmError => invalidRequest("Only one system topic is allowed per source.");

export const unsupportedSource = (source: string): ArmError =>
  invalidRequest(
    `The source '${source}' is not supported. The embedded cloud publishes events of subscriptions, resource groups, health resources and custom topics.`,
  );

export const unsupportedTopicType = (topicType: string, known: readonly string[]): ArmError =>
  invalidRequest(`The topic type '${topicType}' is not supported. The embedded cloud has ${known.join(", ")}.`);

export const parentTopicNotFound = (typeAndName: string): ArmError =>
  new ArmError(404, {
    code: "ParentResourceNotFound",
    message: `Failed to perform 'write' on resource, because the parent resource '${typeAndName}' could not be found.`,
  });
