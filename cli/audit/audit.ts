import { z } from "zod";
import { apiOf, armOf, orgPath, type Service } from "../api";
import type { Command, CommandCall, OptionTable } from "../command";
import { EXIT, type ExitCode, usage } from "../cli-error";
import { orgOf } from "../connection";
import { AuditEntry } from "../../src/contract/audit";
import { type AuditFinding, type AuditMatch, matchAudit, PENDING_MINUTES } from "../../src/domain/audit-match";
import { timeOf } from "../time-option";
import { readActivityLog } from "./activity-log";

const SPAN: OptionTable = {
  from: { type: "string", value: "TIME", help: "RFC 3339; a day ago by default" },
  to: { type: "string", value: "TIME", help: "RFC 3339; now by default" },
};

export const AUDIT_COMMANDS: readonly Command[] = [
  {
    words: "audit list",
    summary: "what was done, by whom, and how it ended",
    options: {
      ...SPAN,
      operation: { type: "string", value: "NAME", help: "of this operation only" },
      actor: { type: "string", value: "ID", help: "by this actor only" },
      outcome: { type: "string", value: "OUTCOME", help: "succeeded, failed or refused" },
    },
    run: list,
  },
  {
    words: "audit verify",
    summary: "hold the audit against Azure's Activity Log",
    help:
      "With your own token. Every write, delete and action in the compute group has to have its intent, and every intent its outcome; " +
      `what is younger than ${PENDING_MINUTES} minutes is pending. Exit code 1 if anything is found.`,
    options: SPAN,
    run: verify,
  },
];

const DAY_MS = 86_400_000;
/** Acts at the beginning of the span were intended before it. */
const LEAD_MS = 3_600_000;

async function list(call: CommandCall): Promise<ExitCode> {
  const { from, to } = spanOf(call);
  const filter = new URLSearchParams({ from, to });
  for (const name of ["operation", "actor", "outcome"]) {
    const value = call.text(name);
    if (value !== undefined) filter.set(name, value);
  }
  const connection = await call.connect();
  const entries = await readAudit(apiOf(connection), orgOf(connection), filter);
  call.output.json({ value: entries });
  call.output.table(
    ["TIME", "PHASE", "OPERATION", "ACTOR", "TARGET", "OUTCOME"],
    entries.map(({ at, phase, operation, actor, target, outcome, code }) => [
      at,
      phase,
      operation,
      `${actor.type} ${actor.id}`,
      target,
      [outcome, code].filter((each) => each !== undefined).join(" "),
    ]),
  );
  return EXIT.done;
}

const OrgView = z.object({ subscriptionId: z.string(), estatePrefix: z.string().default("corral") });

async function verify(call: CommandCall): Promise<ExitCode> {
  const { from, to } = spanOf(call);
  const connection = await call.connect();
  const [api, org] = [apiOf(connection), orgOf(connection)];
  const { subscriptionId, estatePrefix } = OrgView.parse(await api.call({ method: "GET", path: orgPath(org) }));
  const group = `${estatePrefix}-${org}`;
  const now = new Date().toISOString();
  const earlier = new Date(Date.parse(from) - LEAD_MS).toISOString();
  const events = await readActivityLog(armOf(connection), { subscriptionId, group, from, to });
  // Read after the log and up to now: an act near the end has its outcome later.
  const entries = await readAudit(api, org, new URLSearchParams({ from: earlier }));
  const computeGroupId = `/subscriptions/${subscriptionId}/resourceGroups/${group}`;
  const match = matchAudit({ entries, events, computeGroupId, now });
  call.output.json(match);
  show(call, match);
  return match.findings.length === 0 ? EXIT.done : EXIT.refused;
}

function show({ output }: CommandCall, { matched, findings, pending }: AuditMatch): void {
  output.line(`${matched.length} acts have their intent, ${findings.length} findings, ${pending.length} pending`);
  if (findings.length > 0) output.table(["FINDING", "TIME", "OPERATION", "TARGET", "BY"], findings.map(rowOf));
}

function rowOf(finding: AuditFinding): string[] {
  if (finding.kind === "NoIntent") {
    const { at, operation, resourceId, caller } = finding.act;
    return ["no intent", at, operation, resourceId, caller];
  }
  const { at, operation, target, actor } = finding.intent;
  return ["no outcome", at, operation, target, `${actor.type} ${actor.id}`];
}

async function readAudit(api: Service, org: string, filter: URLSearchParams): Promise<AuditEntry[]> {
  return z.array(AuditEntry).parse(await api.list(`${orgPath(org, "audit")}?${filter.toString()}`));
}

function spanOf(call: CommandCall): { from: string; to: string } {
  const now = Date.now();
  const from = timeOf("--from", call.text("from")) ?? new Date(now - DAY_MS).toISOString();
  const to = timeOf("--to", call.text("to")) ?? new Date(now).toISOString();
  if (to < from) throw usage("--to lies before --from");
  return { from, to };
}
