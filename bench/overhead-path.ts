import { DEMO_ORG, SUBSCRIPTION_ID } from "../local/stack/constants";
import type { OverheadBench, PutWatch } from "./overhead";

const MESSAGES = 5;

interface SeenCalls {
  readonly calls: readonly { readonly atMs: number; readonly operation: string }[];
}

/** What lies on the way from a message to its VM's PUT: operations on tables, and messages between orchestrations and activities. */
export async function countPath(
  bench: OverheadBench,
  put: PutWatch,
  send: (jobId: string) => Promise<void>,
): Promise<{ tableOps: number; durableHops: number }> {
  const { http } = bench.session;
  const { faultsUrl } = bench.stack.facts;
  const rule = { service: "storage", stage: "before", times: 1_000_000, action: { kind: "watch" } };
  const { id } = (await http.expect({ method: "POST", url: `${faultsUrl}/rules`, json: rule })) as { id: string };
  const tableOps: number[] = [];
  const durableHops: number[] = [];
  for (let index = 0; index < MESSAGES; index += 1) {
    const sentAt = performance.timeOrigin + performance.now();
    await send(`path-${index}`);
    const putAt = await put.next();
    const { calls } = (await http.expect({ method: "GET", url: `${faultsUrl}/rules/${id}` })) as SeenCalls;
    tableOps.push(calls.filter(({ atMs }) => atMs >= sentAt && atMs <= putAt).length);
    durableHops.push(await hopsBetween(bench, sentAt, putAt));
  }
  await http.expect({ method: "DELETE", url: `${faultsUrl}/rules/${id}` });
  return { tableOps: median(tableOps), durableHops: median(durableHops) };
}

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;

interface HistoryEvent {
  readonly EventType: string | number;
  readonly Timestamp: string;
}

/** Messages of the task hub: an execution starts, an activity is scheduled or has ended, an event is raised. By name or by number. */
const HOPS: ReadonlySet<string | number> = new Set([
  ...["ExecutionStarted", "TaskScheduled", "TaskCompleted", "EventRaised"],
  ...[0, 4, 5, 15],
]);

/** Counted in the histories of the scheduler and of the machine, the two orchestrations on the way. */
async function hopsBetween({ stack, session }: OverheadBench, fromMs: number, toMs: number): Promise<number> {
  const { value } = (await session.api("GET", `/api/orgs/${DEMO_ORG}/machines`)) as { value: { machineId: string }[] };
  const ids = [`scheduler-${SUBSCRIPTION_ID}`, ...value.map(({ machineId }) => `machine-${DEMO_ORG}-${machineId}`)];
  let hops = 0;
  for (const id of ids) {
    const url = `${stack.hostUrl}/runtime/webhooks/durabletask/instances/${id}?showHistory=true`;
    const status = (await session.http.expect({ method: "GET", url })) as { historyEvents?: readonly HistoryEvent[] };
    hops += (status.historyEvents ?? []).filter(({ EventType, Timestamp }) => {
      const at = Date.parse(Timestamp);
      // Timestamps are whole milliseconds.
      return HOPS.has(EventType) && at >= Math.floor(fromMs) && at <= toMs;
    }).length;
  }
  return hops;
}
