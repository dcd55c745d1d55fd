import { apiOf, orgPath } from "../api";
import type { Command, CommandCall } from "../command";
import { EXIT, type ExitCode } from "../cli-error";
import { AccessAnswer } from "../../src/contract/access";

export const ACCESS_CHECK_COMMAND: Command = {
  words: "access check",
  summary: "may a principal do something, and which assignment says so",
  help: "Exit code 0 when he may, 1 when he may not. Without --org the whole deployment is meant.",
  options: {
    principal: { type: "string", value: "ID", help: "object id in Entra" },
    operation: { type: "string", value: "NAME", help: "such as Corral/organizations/jobs/write" },
    scope: { type: "string", value: "SCOPE", help: "where; the organization by default" },
  },
  run: check,
};

async function check(call: CommandCall): Promise<ExitCode> {
  const [principalId, operation, scope] = [call.needed("principal"), call.needed("operation"), call.text("scope")];
  const connection = await call.connect();
  const path = connection.org === undefined ? "/api/access:check" : orgPath(connection.org, "access:check");
  const body = { principalId, operation, ...(scope !== undefined && { scope }) };
  const answer = AccessAnswer.parse(await apiOf(connection).call({ method: "POST", path, body }));
  call.output.json(answer);
  const { allowed, because } = answer;
  if (because) {
    const { role, pattern, assignmentId } = because;
    call.output.line(`allowed: ${role} at ${because.scope} permits ${pattern} (assignment ${assignmentId})`);
  } else call.output.line(`not allowed: no assignment of ${principalId} permits ${operation} there`);
  return allowed ? EXIT.done : EXIT.refused;
}
