import { randomUUID } from "node:crypto";
import type { RoleAssignment } from "./authorization/access-control";
import type { CloudWorld } from "./cloud-world";
import type { EventSeed } from "./resource-events";
import type { ArmRequest } from "./route";

interface Taken {
  readonly request: ArmRequest;
  readonly action: string;
  readonly grant: RoleAssignment | undefined;
  readonly correlationId: string;
  readonly url: string;
  readonly isCreate: boolean;
}

/** What an event will say of the request that caused it. */
export function eventSeed(
  world: CloudWorld,
  { request, action, grant, correlationId, url, isCreate }: Taken,
): EventSeed {
  const given = request.headers["x-ms-client-request-id"];
  const httpRequest = {
    clientRequestId: typeof given === "string" ? given : randomUUID(),
    clientIpAddress: "127.0.0.1",
    method: request.method,
    url: `https://management.azure.com${url}?api-version=${request.apiVersion}`,
  };
  return {
    resourceId: request.path.id,
    action,
    kind: kindOf(request.method),
    subscriptionId: request.path.subscriptionId ?? "",
    tenantId: world.directory.tenantId,
    correlationId,
    claims: request.caller.claims,
    evidence: grant ? evidenceOf(world, grant) : {},
    ...(isCreate ? {} : { httpRequest }),
  };
}

function kindOf(method: string): EventSeed["kind"] {
  if (method === "DELETE") return "Delete";
  return method === "POST" ? "Action" : "Write";
}

const compact = (guid: string): string => guid.replaceAll("-", "");

const evidenceOf = (world: CloudWorld, grant: RoleAssignment) => ({
  role: world.access.findRole(grant.roleGuid)?.roleName,
  roleAssignmentScope: grant.scope,
  roleAssignmentId: compact(grant.name),
  roleDefinitionId: compact(grant.roleGuid),
  principalId: compact(grant.principalId),
  principalType: grant.principalType,
});
