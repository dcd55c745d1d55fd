import type { HttpFunctionOptions } from "@azure/functions";
import type { MachineView } from "../contract/machine";
import { MachineId } from "../contract/names";
import type { AgentSessionRow, AgentSessionTable } from "../state/agent-session-table";
import type { MachineRow, MachineTable } from "../state/machine-table";
import type { CallerGuard } from "./caller-guard";
import { answer, notFound } from "./http-answer";

export interface MachineCallDeps {
  readonly guard: CallerGuard;
  readonly machines: MachineTable;
  readonly sessions: AgentSessionTable;
}

/** HTTP …/orgs/{org}/machines: list, also of those that are gone, and show. */
export function createMachineCalls(deps: MachineCallDeps) {
  const list: HttpFunctionOptions = {
    route: "api/orgs/{org}/machines",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const permitted = await deps.guard.inOrganization(request, "Corral/organizations/machines/read");
      if (!permitted.ok) return permitted.response;
      const { org } = permitted.value.organization;
      const [live, ended, sessions] = await Promise.all([
        deps.machines.listLive(org),
        deps.machines.listEnded(org),
        deps.sessions.listOf(org),
      ]);
      const rows = [...live.map(({ value }) => value), ...ended];
      return answer(200, { value: rows.map((row) => viewOf(row, sessions.get(row.machineId))) });
    },
  };

  const show: HttpFunctionOptions = {
    route: "api/orgs/{org}/machines/{machineId}",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const permitted = await deps.guard.inOrganization(request, "Corral/organizations/machines/read");
      if (!permitted.ok) return permitted.response;
      const { org } = permitted.value.organization;
      const machineId = request.params["machineId"] ?? "";
      if (!MachineId.safeParse(machineId).success) return notFound(`machine ${machineId}`);
      const [machine, session] = await Promise.all([
        deps.machines.find(org, machineId),
        deps.sessions.find(org, machineId),
      ]);
      return machine ? answer(200, viewOf(machine.value, session?.value)) : notFound(`machine ${machineId}`);
    },
  };

  return { list, show };
}

/** An estimate by list price: from the PUT to the end, or to now. */
function costOf({ putSentAt, deletedAt, pricePerHour }: MachineRow): number {
  if (putSentAt === undefined) return 0;
  const until = deletedAt === undefined ? Date.now() : Date.parse(deletedAt);
  return Number((((until - Date.parse(putSentAt)) / 3_600_000) * pricePerHour).toFixed(6));
}

function viewOf(row: MachineRow, session: AgentSessionRow | undefined): MachineView {
  const { machineId, state, offering, lease, idleSince, pricePerHour } = row;
  return {
    machineId,
    state,
    vmSize: offering.vmSize,
    location: offering.location,
    capacity: offering.capacity,
    ...(lease && { lease }),
    ...(idleSince !== undefined && { idleSince }),
    ...(session && { lastHeartbeatAt: session.lastHeartbeatAt }),
    ...(session?.gpuUtilizationPercent !== undefined && { gpuUtilizationPercent: session.gpuUtilizationPercent }),
    pricePerHour,
    costUsd: costOf(row),
  };
}
