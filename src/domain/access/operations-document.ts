import { OPERATION_NAMES, OPERATIONS } from "./operations";
import { BUILT_IN_ROLES, permits } from "./role";

/** What each built-in role follows: the documents' own meaning of Owner, Contributor and Reader, and Corral's of its two others. */
const FOLLOWS: Readonly<Record<string, string>> = {
  Owner: "document 003: has full access, and can also change role assignments",
  Contributor:
    "document 003: views, creates, edits and deletes what is in a workspace, compute included. Azure's own Contributor gives no roles (Understand Azure role definitions); removing an organization or its estate, and overriding the brake, stay with Owners too",
  Reader:
    "document 003: read-only, and sees what is there, credentials included. In Corral a Reader sees that a credential exists, never its value: values lie in the organization's vault, which Corral cannot read",
  "Job Submitter": "document 003, Data Scientist Custom: runs experiments and neither creates nor deletes compute",
  "Fleet Operator": "Corral's own: looks after machines and the clean-up, within its brake",
};

const mark = (yes: boolean): string => (yes ? "yes" : "");

/** `docs/operations.md`, made of the roles and operations that the service decides by. */
export function operationsDocument(): string {
  const names = BUILT_IN_ROLES.map(({ key }) => key);
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = OPERATION_NAMES.map((name) =>
    row([`\`${name}\``, OPERATIONS[name], ...BUILT_IN_ROLES.map((role) => mark(permits(role, name)))]),
  );
  const list = (patterns: readonly string[]): string =>
    patterns.length === 0 ? "" : patterns.map((pattern) => `\`${pattern}\``).join(", ");
  return [
    "# Operations and roles",
    "",
    "Made by `npm run docs` from `src/domain/access`; a test holds it against the code.",
    "",
    "## What each role permits",
    "",
    row(["operation", "lets one", ...names]),
    row(["---", "---", ...names.map(() => "---")]),
    ...table,
    "",
    "## The built-in roles",
    "",
    row(["role", "Actions", "NotActions", "follows"]),
    row(["---", "---", "---", "---"]),
    ...BUILT_IN_ROLES.map(({ key, actions, notActions }) =>
      row([key, list(actions), list(notActions), FOLLOWS[key] ?? ""]),
    ),
    "",
    "`*` stands for any characters, slashes too, anywhere in a pattern; case does not count. A role permits its Actions less its NotActions;",
    "what somebody may do is the union of the roles that he holds at the scope in question and at the scopes around it. NotActions are no deny:",
    "another role may permit what one excludes. Scopes, each within the one before: `/` (the deployment), `/subscriptions/{id}`,",
    "`/subscriptions/{id}/resourceGroups/{name}`, `/orgs/{org}`, `/orgs/{org}/volumes/{name}`.",
    "",
  ].join("\n");
}
