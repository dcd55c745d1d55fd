import { setTimeout as sleep } from "node:timers/promises";
import type { RegisterReply, RegisterRequest, WorkRequest } from "../contract/agent";
import { reasonOf, type ServiceClient } from "./api";
import { waitMsOf } from "./backoff";
import type { AgentDisk } from "./disk";
import type { Metadata } from "./metadata";
import type { AgentSettings } from "./settings";

/** The machine's standing with the service: gained at the first boot by the nonce, kept by the session on disk. */
export interface Registration {
  /** Resolves when the service has taken the machine; tries for ever. */
  renew(): Promise<void>;
  /** Resolves once the machine is registered. */
  readonly ready: Promise<void>;
  readonly current: WorkRequest;
  readonly heartbeatMs: number;
  readonly workPollMs: number;
}

export interface RegistrationDependencies {
  readonly settings: Pick<AgentSettings, "org" | "machineId" | "bootNonce" | "osBootId" | "retryBaseMs">;
  readonly service: ServiceClient;
  readonly metadata: Metadata;
  readonly disk: AgentDisk;
  readonly log: (line: string) => void;
}

export const AGENT_VERSION = "1";
const SHORTEST_WAIT_AFTER_REFUSAL_MS = 1000;

export function createRegistration(deps: RegistrationDependencies): Registration {
  const { settings, disk } = deps;
  const ready = Promise.withResolvers<undefined>();
  let reply: RegisterReply | undefined;
  const known = (): RegisterReply => {
    if (!reply) throw new Error("the machine is not registered");
    return reply;
  };
  return {
    renew: async () => {
      reply = await registerUntilTaken(deps);
      disk.saveSession({ session: reply.session, bootId: reply.bootId, osBootId: settings.osBootId });
      ready.resolve(undefined);
    },
    ready: ready.promise,
    get current() {
      const { session, bootId } = known();
      return { org: settings.org, machineId: settings.machineId, session, bootId };
    },
    get heartbeatMs() {
      return known().heartbeatSeconds * 1000;
    },
    get workPollMs() {
      return known().workPollSeconds * 1000;
    },
  };
}

async function registerUntilTaken(deps: RegistrationDependencies): Promise<RegisterReply> {
  const { service, settings, log } = deps;
  for (let failures = 0; ; failures += 1) {
    let waitMs = waitMsOf({ failures, baseMs: settings.retryBaseMs }, Math.random);
    try {
      const answer = await service.post<RegisterReply>("register", await requestOf(deps));
      if (answer.kind === "ok") return answer.body;
      log(`register: ${answer.kind === "stale" ? "the session is stale" : answer.reason}`);
      if (answer.kind === "unavailable") waitMs += answer.retryAfterMs ?? 0;
      else waitMs += SHORTEST_WAIT_AFTER_REFUSAL_MS;
    } catch (error) {
      log(`register: ${reasonOf(error)}`);
    }
    await sleep(waitMs);
  }
}

/** After a reboot the old boot id is not sent: the container is gone, and the service must not count on the lease. */
async function requestOf({ settings, metadata, disk }: RegistrationDependencies): Promise<RegisterRequest> {
  const { org, machineId, bootNonce, osBootId } = settings;
  const stored = disk.readSession();
  const standing = stored
    ? { session: stored.session, ...(stored.osBootId === osBootId ? { bootId: stored.bootId } : {}) }
    : { ...(bootNonce === undefined ? {} : { bootNonce }) };
  return { org, machineId, vmId: (await metadata.instance()).vmId, agentVersion: AGENT_VERSION, ...standing };
}
