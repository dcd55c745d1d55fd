import { apiOf, orgPath, type Service } from "../api";
import type { Command, CommandCall } from "../command";
import { EXIT, type ExitCode } from "../cli-error";
import type { Connection } from "../connection";
import { type TokenIdentity, identityOf } from "../token-identity";
import { AccessAnswer } from "../../src/contract/access";
import { assignmentsIn } from "./assignments";

export const WHOAMI_COMMAND: Command = {
  words: "whoami",
  summary: "who is signed in, how, for how long, and with which roles",
  run: whoami,
};

async function whoami(call: CommandCall): Promise<ExitCode> {
  const connection = await call.connect();
  const who = await identityOf(connection);
  const roles = connection.org === undefined ? undefined : await rolesOf(connection, connection.org, who);
  const { groupIds: _groups, ...shown } = who;
  const { apiUrl, way, org } = connection;
  call.output.json({ apiUrl, way, ...shown, ...(org !== undefined && { org, roles }) });
  for (const [name, value] of [
    ["user", `${who.name} (${who.kind} ${who.objectId})`],
    ["tenant", who.tenantId],
    ["way", way],
    ["token until", `${who.expiresAt}, renewed without you`],
    ["deployment", apiUrl],
    ["organization", org],
    ["roles", roles?.map(({ role, scope }) => `${role} at ${scope}`).join(", ") || (roles && "none")],
  ] as const)
    if (value !== undefined) call.output.line(`${name.padEnd(12)}  ${value}`);
  return EXIT.done;
}

interface HeldRole {
  readonly role: string;
  readonly scope: string;
}

/** From the list of assignments; who may not read it asks what he may do himself, which everybody may. */
async function rolesOf(connection: Connection, org: string, who: TokenIdentity): Promise<readonly HeldRole[]> {
  const api = apiOf(connection);
  const { status } = await api.send({ method: "GET", path: orgPath(org, "roleAssignments") });
  if (status === 403) return rolesByAsking(api, org, who);
  const mine = new Set([who.objectId, ...who.groupIds].map((id) => id.toLowerCase()));
  const held = (await assignmentsIn(api, org)).filter(({ principalId }) => mine.has(principalId.toLowerCase()));
  return held.map(({ role, scope }) => ({ role, scope }));
}

/** Operations that tell the built-in roles apart. */
const PROBES = [
  "Corral/organizations/jobs/write",
  "Corral/organizations/jobs/read",
  "Corral/organizations/machines/delete",
  "Corral/organizations/machines/read",
  "Corral/organizations/volumes/read",
];

async function rolesByAsking(api: Service, org: string, { objectId }: TokenIdentity): Promise<readonly HeldRole[]> {
  const answers = await Promise.all(
    PROBES.map(async (operation) => {
      const body = { principalId: objectId, operation };
      return AccessAnswer.parse(await api.call({ method: "POST", path: orgPath(org, "access:check"), body })).because;
    }),
  );
  const held = answers.flatMap((because) => (because ? [{ role: because.role, scope: because.scope }] : []));
  return held.filter(
    (each, index) => held.findIndex(({ role, scope }) => role === each.role && scope === each.scope) === index,
  );
}
