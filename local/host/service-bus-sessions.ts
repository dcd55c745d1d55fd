import type { ServiceBusSessionReceiver } from "@azure/service-bus";
import { receiverOptions, restAfter } from "./service-bus-pull";
import type { Pull } from "./service-bus-pull";

/** How long a session may be quiet when host.json says nothing: the real host takes the client's timeout of a minute. */
const IDLE_MS = 60_000;

/** Functions of sessions: so many of them at a time, the messages of each one after the other. */
export function pullSessions(pull: Pull, started: (work: Promise<void>) => void): void {
  for (let count = 0; count < pull.config.maxConcurrentSessions; count += 1) started(serveSessions(pull));
}

async function serveSessions(pull: Pull): Promise<void> {
  while (!pull.signal.aborted) {
    const session = await nextSession(pull);
    if (session) await serveSession(pull, session);
  }
}

async function nextSession(pull: Pull): Promise<ServiceBusSessionReceiver | undefined> {
  const { client, config, signal } = pull;
  const [queueOrTopic, subscriptionName] = pull.entity;
  const options = { ...receiverOptions(config), abortSignal: signal };
  try {
    return subscriptionName === undefined
      ? await client.acceptNextSession(queueOrTopic, options)
      : await client.acceptNextSession(queueOrTopic, subscriptionName, options);
  } catch (error) {
    // Nobody has sent anything to a session that is free.
    if (codeOf(error) !== "ServiceTimeout") await restAfter(error, pull);
    return undefined;
  }
}

async function serveSession(pull: Pull, session: ServiceBusSessionReceiver): Promise<void> {
  const { signal, config } = pull;
  try {
    while (!signal.aborted) {
      const messages = await session.receiveMessages(pull.batchSize, {
        maxWaitTimeInMs: config.sessionIdleMs ?? IDLE_MS,
        abortSignal: signal,
      });
      if (messages.length === 0) return;
      await pull.handle(session, messages);
    }
  } catch (error) {
    await restAfter(error, pull);
  } finally {
    await session.close().catch(() => undefined);
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
