import type { DeadLetterBlob, DeadLetterWrite } from "./dead-letters";
import type { Delivery } from "./delivery-engine";
import type { DeliveryIdentity } from "./event-subscription";
import type { HttpCaller } from "./http-call";
import type { DeliveryResult } from "./retry-policy";
import { ServiceBusDestination } from "./service-bus-destination";
import { sendToStorageQueue, writeBlob } from "./storage-destinations";
import { postEvents } from "./webhook";

/** Where the resources of the cloud are served. What is not given is not there, and its deliveries fail with `NotFound`. */
export interface DestinationPorts {
  /** Connection string of a namespace, by its resource id. */
  readonly serviceBus?: ((namespaceId: string) => string | undefined) | undefined;
  /** Connection string of the storage emulator. */
  readonly storage?: (() => string | undefined) | undefined;
  /** The Event Grid webhook of a function, by the function's resource id. */
  readonly functionWebhook?: ((functionId: string) => string | undefined) | undefined;
}

export interface DestinationsOptions extends DestinationPorts {
  readonly caller: HttpCaller;
  readonly allows: (question: {
    readonly principalId: string;
    readonly action: string;
    readonly scope: string;
    readonly plane: "data";
  }) => boolean;
  /** An access token for a webhook that is secured by Entra. */
  readonly tokenFor: (application: string) => Promise<string>;
}

const SEND_TO_BUS = "Microsoft.ServiceBus/namespaces/messages/send/action";
const ADD_TO_QUEUE = "Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action";
const WRITE_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write";

const failed = (
  outcome: Extract<DeliveryResult, { kind: "failed" }>["outcome"],
  retryAfterMs: number | undefined = 5 * 60_000,
): DeliveryResult => ({ kind: "failed", outcome, retryAfterMs });

/** Brings a delivery to its destination, with the identity of the topic where the subscription says so. */
export class Destinations {
  private readonly bus = new ServiceBusDestination();

  constructor(private readonly options: DestinationsOptions) {}

  async send(delivery: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    const { destination, identity } = delivery.subscription;
    const { caller, functionWebhook, storage } = this.options;
    switch (destination.kind) {
      case "WebHook": {
        const { entraApplication, ...target } = destination;
        const token = entraApplication === undefined ? undefined : await this.options.tokenFor(entraApplication);
        const authorization = token === undefined ? undefined : `Bearer ${token}`;
        return postEvents(caller, { ...target, kind: "webhook", authorization }, { ...delivery, signal });
      }
      case "AzureFunction": {
        const url = functionWebhook?.(destination.resourceId);
        if (url === undefined) return failed("NotFound");
        return postEvents(caller, { ...destination, url, kind: "azure-resource" }, { ...delivery, signal });
      }
      case "ServiceBusQueue":
      case "ServiceBusTopic":
        return this.sendToBus(delivery, destination.resourceId);
      case "StorageQueue": {
        const connectionString = storage?.();
        const scope = `${destination.resourceId}/queueServices/default/queues/${destination.queueName}`;
        if (!this.may(identity, ADD_TO_QUEUE, scope)) return failed("Unauthorized");
        return connectionString === undefined ? failed("NotFound") : sendToStorageQueue(connectionString, delivery);
      }
    }
  }

  async writeDeadLetters(blob: DeadLetterBlob): Promise<DeadLetterWrite> {
    const connectionString = this.options.storage?.();
    const { resourceId, container, identity } = blob.target;
    const scope = `${resourceId}/blobServices/default/containers/${container}`;
    // Whoever gives the role in time still gets the events.
    if (!this.may(identity, WRITE_BLOB, scope)) return "unavailable";
    return connectionString === undefined ? "missing" : writeBlob(connectionString, blob);
  }

  async close(): Promise<void> {
    await this.bus.close();
  }

  private sendToBus(delivery: Delivery, entityId: string): Promise<DeliveryResult> {
    const { namespaceId, entity } = entityOf(entityId);
    const connectionString = this.options.serviceBus?.(namespaceId);
    if (!this.may(delivery.subscription.identity, SEND_TO_BUS, entityId))
      return Promise.resolve(failed("Unauthorized"));
    if (connectionString === undefined) return Promise.resolve(failed("NotFound"));
    return this.bus.send(connectionString, entity, delivery);
  }

  private may(identity: DeliveryIdentity, action: string, scope: string): boolean {
    if (identity.kind === "none") return true;
    const { principalId } = identity;
    return principalId !== undefined && this.options.allows({ principalId, action, scope, plane: "data" });
  }
}

/** `…/namespaces/n/queues/q` -> the namespace and `q`. */
function entityOf(resourceId: string): { namespaceId: string; entity: string } {
  const segments = resourceId.split("/");
  return { namespaceId: segments.slice(0, -2).join("/"), entity: segments.at(-1) ?? "" };
}
