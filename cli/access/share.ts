import { apiOf, orgPath } from "../api";
import type { Command, CommandCall, OptionTable } from "../command";
import { EXIT, type ExitCode, refused, usage } from "../cli-error";
import { guidOf } from "../deterministic-guid";
import { RoleAssignmentBody } from "../../src/contract/access";
import { organizationScope } from "../../src/domain/access/scope";
import { assignmentsIn } from "./assignments";
import { dataGrantsOf, giveDataAccess, takeDataAccess } from "./data-access";

const PRINCIPAL_OPTIONS: OptionTable = {
  principal: { type: "string", value: "ID", help: "object id in Entra" },
  data: {
    type: "boolean",
    help: "also Blob Data Reader on the default volume and Key Vault Reader, by your own right in Azure",
  },
  "storage-account": { type: "string", value: "ID", help: "the data account's resource id, where it cannot be found" },
  "vault-id": { type: "string", value: "ID", help: "the vault's resource id, where it cannot be found" },
};

export const SHARE_COMMANDS: readonly Command[] = [
  {
    words: "share",
    parameters: ["ORG"],
    summary: "give somebody a role in an organization",
    help: "Reader unless another role is named: the least that shows anything. Sharing twice is sharing once.",
    options: {
      ...PRINCIPAL_OPTIONS,
      type: { type: "string", value: "TYPE", help: "User (default), Group, ServicePrincipal or ManagedIdentity" },
      role: { type: "string", value: "ROLE", help: "a built-in role, or the name of a custom one; Reader by default" },
      scope: { type: "string", value: "SCOPE", help: "a volume of the organization instead of all of it" },
    },
    run: share,
  },
  {
    words: "unshare",
    parameters: ["ORG"],
    summary: "take somebody's roles in an organization away",
    options: {
      ...PRINCIPAL_OPTIONS,
      role: { type: "string", value: "ROLE", help: "this one only" },
    },
    run: unshare,
  },
];

async function share(call: CommandCall): Promise<ExitCode> {
  const org = call.parameter(0, "ORG");
  const scope = call.text("scope") ?? organizationScope(org);
  const body = RoleAssignmentBody.safeParse({
    principalId: call.needed("principal").toLowerCase(),
    principalType: call.text("type") ?? "User",
    role: call.text("role") ?? "Reader",
    scope,
  });
  if (!body.success)
    throw usage(body.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  const { principalId, principalType, role } = body.data;
  const connection = await call.connect();
  const api = apiOf(connection);
  // Found before anything is given: a name that is missing should not leave half of it.
  const data = call.isSet("data") ? await dataGrantsOf(call, connection, org) : [];
  const id = guidOf(scope, principalId, role);
  const given = await api.call({ method: "PUT", path: orgPath(org, "roleAssignments", id), body: body.data });
  for (const grant of data) await giveDataAccess(connection, grant, { principalId, principalType });
  call.output.json({ assignment: given, data: data.map(({ role: name, scope: at }) => ({ role: name, scope: at })) });
  call.output.line(`${principalId} has ${role} at ${scope}`);
  for (const grant of data) call.output.line(`${principalId} has ${grant.role} at ${grant.scope}`);
  return EXIT.done;
}

async function unshare(call: CommandCall): Promise<ExitCode> {
  const org = call.parameter(0, "ORG");
  const principalId = call.needed("principal").toLowerCase();
  const role = call.text("role");
  const connection = await call.connect();
  const api = apiOf(connection);
  const own = (await assignmentsIn(api, org)).filter(
    (each) =>
      each.principalId.toLowerCase() === principalId &&
      (role === undefined || each.role === role) &&
      isOf(org, each.scope),
  );
  const fromSettings = own.find((each) => each.fromSettings === true);
  if (fromSettings)
    throw refused(`${principalId} is ${fromSettings.role} by the settings of ${org}: change its administrators`);
  for (const { id } of own)
    await api.call({ method: "DELETE", path: orgPath(org, "roleAssignments", encodeURIComponent(id)) });
  const data = call.isSet("data") ? await dataGrantsOf(call, connection, org) : [];
  for (const grant of data) await takeDataAccess(connection, grant, principalId);
  call.output.json({ taken: own, data: data.map(({ role: name, scope }) => ({ role: name, scope })) });
  if (own.length === 0) call.output.line(`${principalId} had no such role in ${org}`);
  for (const each of own) call.output.line(`${principalId} has no longer ${each.role} at ${each.scope}`);
  if (!call.isSet("data"))
    call.output.line("rights on data in Azure stay as they are (--data takes those of share --data away)");
  return EXIT.done;
}

const isOf = (org: string, scope: string): boolean =>
  scope === organizationScope(org) || scope.startsWith(`${organizationScope(org)}/`);
