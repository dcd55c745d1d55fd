import { BlobServiceClient, RestError as BlobError } from "@azure/storage-blob";
import { QueueServiceClient, RestError as QueueError } from "@azure/storage-queue";
import type { DeadLetterBlob, DeadLetterWrite } from "./dead-letters";
import type { Delivery } from "./delivery-engine";
import { toDelivered } from "./grid-event";
import { type DeliveryResult, resultOfStatus } from "./retry-policy";

/** One emulated account holds all: the names of containers and queues carry whose they are. */
export const nameInEmulator = (resourceId: string, name: string): string =>
  `${resourceId.slice(resourceId.lastIndexOf("/") + 1).toLowerCase()}-${name}`;

// Tries are Event Grid's own.
const retryOptions = { maxTries: 1, tryTimeoutInMs: 30_000 };

export async function writeBlob(
  connectionString: string,
  { target, blobName, content }: DeadLetterBlob,
): Promise<DeadLetterWrite> {
  const service = BlobServiceClient.fromConnectionString(connectionString, { retryOptions });
  const blob = service
    .getContainerClient(nameInEmulator(target.resourceId, target.container))
    .getBlockBlobClient(blobName);
  try {
    await blob.upload(content, Buffer.byteLength(content), {
      blobHTTPHeaders: { blobContentType: "application/json" },
    });
    return "written";
  } catch (error) {
    if (error instanceof BlobError && error.statusCode === 404) return "missing";
    throw error;
  }
}

/** Storage queues get the event as base64, as their readers expect it. */
export async function sendToStorageQueue(
  connectionString: string,
  { subscription, events }: Delivery,
): Promise<DeliveryResult> {
  const { destination, schema } = subscription;
  if (destination.kind !== "StorageQueue") throw new Error(`${destination.kind} is no storage queue`);
  const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions });
  const queue = service.getQueueClient(nameInEmulator(destination.resourceId, destination.queueName));
  const { timeToLiveSeconds } = destination;
  const options = timeToLiveSeconds === undefined ? {} : { messageTimeToLive: timeToLiveSeconds };
  try {
    for (const { event } of events) {
      const text = JSON.stringify(toDelivered(event, schema));
      await queue.sendMessage(Buffer.from(text, "utf8").toString("base64"), options);
    }
    return { kind: "delivered" };
  } catch (error) {
    if (error instanceof QueueError && error.statusCode !== undefined)
      return resultOfStatus(error.statusCode, "azure-resource");
    return { kind: "failed", outcome: "SocketError", retryAfterMs: 10_000 };
  }
}
