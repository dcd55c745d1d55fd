import { EventGridManagementClient, type EventSubscription, type Topic } from "@azure/arm-eventgrid";
import { AzureKeyCredential, EventGridPublisherClient } from "@azure/eventgrid";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import type { AzureOptions } from "../../../local/azure/azure-options";
import {
  type AzureFixture,
  credentialOf,
  GROUP,
  LOCATION,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { WebhookServer } from "./webhook-server";

export interface GridFixture extends AzureFixture {
  readonly grid: EventGridManagementClient;
  readonly webhook: WebhookServer;
}

const fast = { updateIntervalInMs: 20 };

export async function startGrid(overrides: Partial<AzureOptions> = {}): Promise<GridFixture> {
  const fixture = await startFixture(overrides);
  await resourcesOf(fixture).resourceGroups.createOrUpdate(GROUP, { location: LOCATION });
  return { ...fixture, grid: gridOf(fixture), webhook: await WebhookServer.start() };
}

export async function stopGrid(fixture: GridFixture): Promise<void> {
  await stopFixture(fixture);
  await fixture.webhook.close();
}

export function gridOf(fixture: AzureFixture, principal?: ServicePrincipal): EventGridManagementClient {
  return new EventGridManagementClient(credentialOf(fixture, principal), SUBSCRIPTION, {
    endpoint: fixture.azure.armUrl,
    credentialScopes: "https://management.azure.com/.default",
    retryOptions: { maxRetries: 0 },
    ...{ tlsOptions: { ca: fixture.azure.caPem } },
  });
}

export function makeTopic({ grid }: GridFixture, name: string, more: Partial<Topic> = {}): Promise<Topic> {
  return grid.topics.beginCreateOrUpdateAndWait(GROUP, name, { location: LOCATION, ...more }, fast);
}

/** A webhook of a topic, as the client writes it. */
export function subscribe(
  { grid, webhook }: GridFixture,
  [topic, name]: readonly [string, string],
  more: EventSubscription = {},
): Promise<EventSubscription> {
  const destination = { endpointType: "WebHook", endpointUrl: webhook.url } as const;
  return grid.topicEventSubscriptions.beginCreateOrUpdateAndWait(
    GROUP,
    topic,
    name,
    { ...(more.deliveryWithResourceIdentity ? {} : { destination }), ...more },
    fast,
  );
}

export type Schema = "EventGrid" | "CloudEvent" | "Custom";

export async function publisherOf<Of extends Schema>(
  { grid, azure }: GridFixture,
  topic: string,
  schema: Of,
): Promise<EventGridPublisherClient<Of>> {
  const { endpoint = "" } = await grid.topics.get(GROUP, topic);
  const { key1 = "" } = await grid.topics.listSharedAccessKeys(GROUP, topic);
  return new EventGridPublisherClient(endpoint, schema, new AzureKeyCredential(key1), publisherOptions(azure.caPem));
}

export const publisherOptions = (ca: string) => ({ tlsOptions: { ca }, retryOptions: { maxRetries: 0 } });

export const sample = (subject: string, data: unknown = {}) => ({
  eventType: "Corral.Sampled",
  subject,
  dataVersion: "1.0",
  data,
});
