import { setTimeout as sleep } from "node:timers/promises";
import type { FinishRequest, NoticeRequest } from "../contract/agent";
import type { ServiceClient } from "./api";
import { waitMsOf } from "./backoff";
import type { HeldAttempt, Lease } from "./lifecycle";
import type { Registration } from "./registration";

export interface Reporting {
  readonly service: ServiceClient;
  readonly registration: Registration;
  readonly retryBaseMs: number;
}

const SHORTEST_WAIT_AFTER_REFUSAL_MS = 5000;

/** Says the same until the service has it: its reply may be lost, and what it heard twice it counts once. */
export async function reportUntilAcknowledged(
  { lease, report }: HeldAttempt,
  { service, registration, retryBaseMs, log }: Reporting & { readonly log: (line: string) => void },
): Promise<"acknowledged" | "stale"> {
  if (!report) throw new Error(`${lease.jobId}/${lease.attempt} has no report`);
  for (let failures = 0; ; failures += 1) {
    await registration.ready;
    const request: FinishRequest = { ...registration.current, ...lease, report };
    const answer = await service.post("finish", request);
    if (answer.kind === "ok") return "acknowledged";
    if (answer.kind === "stale") return "stale";
    log(`finish ${lease.jobId}/${lease.attempt}: ${answer.reason}`);
    const retryAfterMs = answer.kind === "unavailable" ? answer.retryAfterMs : SHORTEST_WAIT_AFTER_REFUSAL_MS;
    await sleep(waitMsOf({ failures, baseMs: retryBaseMs, retryAfterMs }, Math.random));
  }
}

/** A notice is of use only while the attempt goes on; the report says the rest. */
export async function sendNotice(
  { notice, lease }: { readonly notice: NoticeRequest["kind"]; readonly lease: Lease },
  { service, registration, retryBaseMs, isHeld }: Reporting & { readonly isHeld: () => boolean },
): Promise<"done" | "stale"> {
  for (let failures = 0; isHeld(); failures += 1) {
    await registration.ready;
    const request: NoticeRequest = { ...registration.current, ...lease, kind: notice };
    const answer = await service.post("notice", request);
    if (answer.kind === "ok") return "done";
    if (answer.kind === "stale") return "stale";
    const retryAfterMs = answer.kind === "unavailable" ? answer.retryAfterMs : SHORTEST_WAIT_AFTER_REFUSAL_MS;
    await sleep(waitMsOf({ failures, baseMs: retryBaseMs, retryAfterMs }, Math.random));
  }
  return "done";
}
