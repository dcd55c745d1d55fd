import type { AuditEntry } from "../contract/audit";

/** What Azure's Activity Log says was done to a resource. */
export interface ActivityEvent {
  readonly at: string;
  /** `Microsoft.Compute/virtualMachines/write`. */
  readonly operation: string;
  readonly resourceId: string;
  readonly correlationId: string;
  readonly caller: string;
  /** `Started`, `Accepted`, `Succeeded`, `Failed`; one act has several events. */
  readonly status: string;
}

/** One act in Azure: all events of an operation on a resource under one correlation id. */
export interface AzureAct extends Omit<ActivityEvent, "status"> {
  readonly statuses: readonly string[];
}

export type AuditFinding =
  /** Something was changed in the compute group, and Corral's audit does not know of it. */
  | { readonly kind: "NoIntent"; readonly act: AzureAct }
  /** It is not known how an act of Corral's ended. */
  | { readonly kind: "NoOutcome"; readonly intent: AuditEntry };

export interface AuditMatch {
  readonly matched: readonly { readonly act: AzureAct; readonly intentId: string }[];
  readonly findings: readonly AuditFinding[];
  /** Too young to judge: the Activity Log may show an act minutes later. */
  readonly pending: readonly (AzureAct | AuditEntry)[];
}

export interface AuditMatchQuestion {
  readonly entries: readonly AuditEntry[];
  readonly events: readonly ActivityEvent[];
  /** Resource id of the compute group. */
  readonly computeGroupId: string;
  /** RFC 3339. */
  readonly now: string;
}

export const PENDING_MINUTES = 20;

/** What Azure writes by itself under the correlation id of a VM's PUT or DELETE: it makes and removes the NIC and the disk declared in it. */
const PARTS_OF_A_VM = ["microsoft.network/networkinterfaces/", "microsoft.compute/disks/"];
const VM_OPERATIONS = "microsoft.compute/virtualmachines/";

/**
 * Every write, delete and action in the compute group has its intent, and every intent its outcome. An intent stands for an act when
 * correlation id, operation and resource agree, or when Azure did it to a part of that intent's VM. The correlation id alone is not
 * enough: whoever reads the audit could send one of it along with a VM of his own.
 */
export function matchAudit({ entries, events, computeGroupId, now }: AuditMatchQuestion): AuditMatch {
  const isYoung = (at: string): boolean => Date.parse(now) - Date.parse(at) < PENDING_MINUTES * 60_000;
  const intents = entries.filter(({ phase }) => phase === "intent");
  const ended = new Set(entries.filter(({ phase }) => phase === "outcome").map(({ id }) => id));
  const matched: { act: AzureAct; intentId: string }[] = [];
  const findings: AuditFinding[] = [];
  const pending: (AzureAct | AuditEntry)[] = [];
  for (const act of actsIn(events, computeGroupId)) {
    const intent = intents.find((each) => standsFor(each, act));
    if (intent) matched.push({ act, intentId: intent.id });
    else if (isYoung(act.at)) pending.push(act);
    else findings.push({ kind: "NoIntent", act });
  }
  for (const intent of intents.filter(({ id }) => !ended.has(id))) {
    if (isYoung(intent.at)) pending.push(intent);
    else findings.push({ kind: "NoOutcome", intent });
  }
  return { matched, findings, pending };
}

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

function standsFor(intent: AuditEntry, act: AzureAct): boolean {
  if (!same(intent.correlationId, act.correlationId)) return false;
  if (same(intent.operation, act.operation) && same(intent.target, act.resourceId)) return true;
  const isOfVm = intent.operation.toLowerCase().startsWith(VM_OPERATIONS);
  return isOfVm && PARTS_OF_A_VM.some((part) => act.operation.toLowerCase().startsWith(part));
}

/** Changes in the group: what was only refused has changed nothing, and reads are not in the log. */
function actsIn(events: readonly ActivityEvent[], computeGroupId: string): readonly AzureAct[] {
  const group = computeGroupId.toLowerCase();
  const acts = new Map<string, AzureAct>();
  for (const { status, ...event } of events) {
    const resource = event.resourceId.toLowerCase();
    if (resource !== group && !resource.startsWith(`${group}/`)) continue;
    if (!/\/(write|delete|action)$/i.test(event.operation)) continue;
    const key = [event.correlationId, event.operation, resource].join("\n").toLowerCase();
    const known = acts.get(key);
    const at = known && known.at < event.at ? known.at : event.at;
    acts.set(key, { ...(known ?? event), at, statuses: [...(known?.statuses ?? []), status] });
  }
  return [...acts.values()].toSorted((one, other) => (one.at < other.at ? -1 : 1));
}
