import { receiverOptions, restAfter } from "./service-bus-pull";
import type { Pull } from "./service-bus-pull";

/** How long one call for messages waits; it also bounds how long a stop takes where nothing can be cut off. */
const WAIT_MS = 60_000;

/** Functions of cardinality many: whatever has arrived goes to one invocation, one invocation after the other. */
export async function pullBatches(pull: Pull): Promise<void> {
  const { client, config, signal } = pull;
  const [queueOrTopic, subscriptionName] = pull.entity;
  while (!signal.aborted) {
    const options = receiverOptions(config);
    const receiver =
      subscriptionName === undefined
        ? client.createReceiver(queueOrTopic, options)
        : client.createReceiver(queueOrTopic, subscriptionName, options);
    try {
      for (;;) {
        const messages = await receiver.receiveMessages(pull.batchSize, {
          maxWaitTimeInMs: WAIT_MS,
          abortSignal: signal,
        });
        await pull.handle(receiver, messages);
      }
    } catch (error) {
      await restAfter(error, pull);
    } finally {
      await receiver.close().catch(() => undefined);
    }
  }
}
