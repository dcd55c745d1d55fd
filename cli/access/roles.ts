import { readFileSync } from "node:fs";
import { z } from "zod";
import { apiOf, orgPath, type Service } from "../api";
import type { Command, CommandCall, OptionTable } from "../command";
import { EXIT, type ExitCode, messageOf, usage } from "../cli-error";
import { orgOf } from "../connection";
import { importRole, type RoleImport } from "../../src/domain/access/role-import";
import { organizationScope } from "../../src/domain/access/scope";

const PLACE: OptionTable = {
  wide: { type: "boolean", help: "roles of the deployment instead of an organization's" },
};
const NAME: OptionTable = {
  name: { type: "string", value: "SLUG", help: "the role's name in paths; made of its Name by default" },
};
const DRY_RUN: OptionTable = { "dry-run": { type: "boolean", help: "show what would be written, and write nothing" } };

export const ROLE_COMMANDS: readonly Command[] = [
  { words: "roles list", summary: "list built-in and custom roles", options: PLACE, run: list },
  {
    words: "roles show",
    parameters: ["NAME"],
    summary: "a role in the JSON of Azure's tools",
    options: PLACE,
    run: show,
  },
  {
    words: "roles create",
    parameters: ["FILE"],
    summary: "create a custom role from the JSON of Azure's tools, or change it",
    options: { ...PLACE, ...NAME },
    run: create,
  },
  { words: "roles delete", parameters: ["NAME"], summary: "delete a custom role", options: PLACE, run: remove },
  {
    words: "roles import",
    parameters: ["FILE"],
    summary: "create the counterpart of an Azure Machine Learning role",
    help: "Shows which of Corral's operations stand for each of the role's, and which have none.",
    options: {
      ...PLACE,
      ...NAME,
      ...DRY_RUN,
      scope: { type: "string", value: "SCOPE", help: "where the role may be assigned; the organization by default" },
    },
    run: importFile,
  },
];

/** Role definitions as the API answers them. */
const ShownRole = z.looseObject({
  id: z.string(),
  Name: z.string(),
  IsCustom: z.boolean(),
  Description: z.string(),
});

async function list(call: CommandCall): Promise<ExitCode> {
  const { api, place } = await open(call);
  const roles = z.array(ShownRole).parse(await api.list(place));
  call.output.json({ value: roles });
  call.output.table(
    ["NAME", "TITLE", "KIND", "DESCRIPTION"],
    roles.map(({ id, Name, IsCustom, Description }) => [id, Name, IsCustom ? "custom" : "built-in", Description]),
  );
  return EXIT.done;
}

async function show(call: CommandCall): Promise<ExitCode> {
  const { api, place } = await open(call);
  const role = await api.call({ method: "GET", path: `${place}/${encodeURIComponent(call.parameter(0, "NAME"))}` });
  call.output.raw(`${JSON.stringify(role, undefined, 2)}\n`);
  return EXIT.done;
}

async function create(call: CommandCall): Promise<ExitCode> {
  const role = readRole(call.parameter(0, "FILE"));
  const { api, place } = await open(call);
  await put(call, { api, place, role });
  return EXIT.done;
}

async function remove(call: CommandCall): Promise<ExitCode> {
  const name = call.parameter(0, "NAME");
  const { api, place } = await open(call);
  await api.call({ method: "DELETE", path: `${place}/${encodeURIComponent(name)}` });
  call.output.line(`role ${name} is gone`);
  call.output.json({ deleted: name });
  return EXIT.done;
}

async function importFile(call: CommandCall): Promise<ExitCode> {
  const azure = readRole(call.parameter(0, "FILE"));
  const scope = call.text("scope") ?? (call.isSet("wide") ? "/" : organizationScope(await orgToImportTo(call)));
  const imported = importRole(azure, scope);
  const isDry = call.isSet("dry-run");
  if (isDry) call.output.json({ ...imported, written: false });
  printMapping(call, imported);
  if (imported.role.Actions.length === 0)
    throw usage(`${azure.Name} permits nothing that Corral has: there is nothing to import`);
  if (isDry) {
    call.output.line("\nnothing was written (--dry-run)");
    return EXIT.done;
  }
  const { api, place } = await open(call);
  await put(call, { api, place, role: imported.role });
  return EXIT.done;
}

/** A dry run needs no deployment where the organization is named. */
async function orgToImportTo(call: CommandCall): Promise<string> {
  return call.text("org") ?? orgOf(await call.connect());
}

function printMapping({ output }: CommandCall, { role, mapping, withoutCounterpart }: RoleImport): void {
  const rows = mapping.flatMap(({ list: kind, pattern, operations }) =>
    (operations.length > 0 ? operations : [undefined]).map((operation, index) =>
      index === 0 ? [kind, pattern, operation ?? "-"] : ["", "", operation],
    ),
  );
  output.table(["LIST", "OPERATION OF AZURE", "OPERATION OF CORRAL"], rows);
  output.line(`\n${role.Name} permits in Corral:`);
  for (const action of role.Actions) output.line(`  ${action}`);
  if (withoutCounterpart.length > 0) output.line("without a counterpart in Corral:");
  for (const pattern of withoutCounterpart) output.line(`  ${pattern}`);
}

interface WrittenRole {
  readonly api: Service;
  readonly place: string;
  readonly role: { readonly Name: string };
}

async function put(call: CommandCall, { api, place, role }: WrittenRole): Promise<void> {
  const slug = call.text("name") ?? slugOf(role.Name);
  const written = await api.call({ method: "PUT", path: `${place}/${encodeURIComponent(slug)}`, body: role });
  call.output.line(`role ${slug} is written; give it with corral share ORG --principal ID --role ${slug}`);
  call.output.json(written);
}

const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");

async function open(call: CommandCall): Promise<{ api: Service; place: string }> {
  const connection = await call.connect();
  const place = call.isSet("wide") ? "/api/roleDefinitions" : orgPath(orgOf(connection), "roleDefinitions");
  return { api: apiOf(connection), place };
}

const patterns = z.array(z.string());

/** What an import reads of a role; the API checks all of it when it is written. */
const AzureRole = z.object({
  Name: z.string().min(1),
  Description: z.string().optional(),
  Actions: patterns.default([]),
  NotActions: patterns.optional(),
});

function readRole(file: string): z.infer<typeof AzureRole> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw usage(`${file} cannot be read as a role: ${messageOf(error)}`);
  }
  const role = AzureRole.loose().safeParse(json);
  if (role.success) return role.data;
  const wrong = role.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`);
  throw usage(`${file} is no role in the JSON of Azure's tools (Name, Actions, NotActions): ${wrong.join("; ")}`);
}
