import type { AuditEntry } from "../../../src/contract/audit";
import { type ActivityEvent, type AuditMatchQuestion, matchAudit } from "../../../src/domain/audit-match";

const GROUP = "/subscriptions/5ab5c21b-c0a1-4c0a-8c0a-c0a1a0000002/resourceGroups/corral-demo";
const VM = `${GROUP}/providers/Microsoft.Compute/virtualMachines/vm-demo-a`;
const NIC = `${GROUP}/providers/Microsoft.Network/networkInterfaces/nic-demo-a`;
const CORRELATION = "c0000000-0000-4000-8000-000000000001";
const NOW = "2030-01-01T12:00:00.000Z";
const LONG_AGO = "2030-01-01T10:00:00.000Z";

const intent: AuditEntry = {
  id: "a1",
  phase: "intent",
  at: LONG_AGO,
  operation: "Microsoft.Compute/virtualMachines/write",
  actor: { type: "service", id: "corral" },
  org: "demo",
  target: VM,
  correlationId: CORRELATION,
};
const outcome: AuditEntry = { ...intent, phase: "outcome", outcome: "succeeded" };
const event: ActivityEvent = {
  at: LONG_AGO,
  operation: "Microsoft.Compute/virtualMachines/write",
  resourceId: VM,
  correlationId: CORRELATION,
  caller: "runtime",
  status: "Succeeded",
};

function match(question: Partial<AuditMatchQuestion>) {
  const { matched, findings, pending } = matchAudit({
    entries: [intent, outcome],
    events: [event],
    computeGroupId: GROUP,
    now: NOW,
    ...question,
  });
  return { matched: matched.length, findings: findings.map(({ kind }) => kind), pending: pending.length };
}

it("matches an act with the intent that announced it", () => {
  expect(match({})).toEqual({ matched: 1, findings: [], pending: 0 });
});

it("takes all events of one act for one", () => {
  const events = ["Started", "Accepted", "Succeeded"].map((status) => ({ ...event, status }));

  expect(match({ events })).toEqual({ matched: 1, findings: [], pending: 0 });
});

it("does not mind how Azure writes names", () => {
  const events = [{ ...event, resourceId: VM.toUpperCase(), operation: event.operation.toUpperCase() }];

  expect(match({ events })).toEqual({ matched: 1, findings: [], pending: 0 });
});

it.each([
  { what: "under another correlation id", more: { correlationId: "c0000000-0000-4000-8000-000000000002" } },
  { what: "on another machine under a known correlation id", more: { resourceId: `${VM}b` } },
  {
    what: "of another kind under a known correlation id",
    more: { operation: "Microsoft.Compute/virtualMachines/delete" },
  },
  {
    what: "of a command in a machine under a known correlation id",
    more: { operation: "Microsoft.Compute/virtualMachines/runCommand/action" },
  },
  {
    what: "of roles at the group itself",
    more: { operation: "Microsoft.Authorization/roleAssignments/write", resourceId: GROUP },
  },
])("finds an act $what", ({ more }) => {
  expect(match({ events: [{ ...event, ...more }] })).toEqual({ matched: 0, findings: ["NoIntent"], pending: 0 });
});

it("takes the parts that Azure makes of a machine along", () => {
  const nic = { ...event, operation: "Microsoft.Network/networkInterfaces/write", resourceId: NIC };

  expect(match({ events: [event, nic] })).toEqual({ matched: 2, findings: [], pending: 0 });
  expect(match({ events: [{ ...nic, correlationId: "other" }] }).findings).toEqual(["NoIntent"]);
});

it.each([
  { what: "in the data group", more: { resourceId: VM.replace("corral-demo", "corral-demo-storage") } },
  { what: "in another subscription", more: { resourceId: VM.replace("5ab5c21b", "00000000") } },
  { what: "that only read", more: { operation: "Microsoft.Compute/virtualMachines/read" } },
])("leaves out what happened $what", ({ more }) => {
  expect(match({ entries: [], events: [{ ...event, ...more }] })).toEqual({ matched: 0, findings: [], pending: 0 });
});

it.each([
  { ageMinutes: 19.9, findings: [], pending: 1 },
  { ageMinutes: 20, findings: ["NoIntent"], pending: 0 },
])("judges an act without intent after 20 minutes: $ageMinutes", ({ ageMinutes, findings, pending }) => {
  const at = new Date(Date.parse(NOW) - ageMinutes * 60_000).toISOString();

  expect(match({ entries: [], events: [{ ...event, at }] })).toEqual({ matched: 0, findings, pending });
});

it.each([
  { ageMinutes: 19.9, findings: [], pending: 1 },
  { ageMinutes: 20, findings: ["NoOutcome"], pending: 0 },
])("judges an intent without outcome after 20 minutes: $ageMinutes", ({ ageMinutes, findings, pending }) => {
  const at = new Date(Date.parse(NOW) - ageMinutes * 60_000).toISOString();

  expect(match({ entries: [{ ...intent, at }], events: [] })).toEqual({ matched: 0, findings, pending });
});

it("matches an act at once, however young", () => {
  expect(match({ entries: [{ ...intent, at: NOW }], events: [{ ...event, at: NOW }] })).toEqual({
    matched: 1,
    findings: [],
    pending: 1,
  });
});

it("asks no outcome of sign-ins and refusals", () => {
  const signIn: AuditEntry = { ...outcome, id: "s1", phase: "event", operation: "Corral/signIn" };

  expect(match({ entries: [signIn], events: [] })).toEqual({ matched: 0, findings: [], pending: 0 });
});
