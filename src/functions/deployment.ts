import type { HttpFunctionOptions } from "@azure/functions";
import type { OrganizationTable } from "../state/organization-table";
import { answer } from "./http-answer";

export interface DeploymentFacts {
  readonly deploymentId: string;
  readonly tenantId: string;
  readonly audience: string;
  readonly clientId: string;
}

/** HTTP GET /deployment and /health, for anyone: what a client needs before it has a token. */
export function createDeploymentCalls(facts: DeploymentFacts, organizations: OrganizationTable) {
  const deployment: HttpFunctionOptions = {
    route: "api/deployment",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: () => answer(200, facts),
  };

  const health: HttpFunctionOptions = {
    route: "api/health",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (_request, context) => {
      try {
        await organizations.list();
        return answer(200, { status: "Healthy", checks: [{ name: "state", status: "Healthy" }] });
      } catch (error) {
        context.error(`health: the state tables cannot be read: ${String(error)}`);
        return answer(503, {
          status: "Unhealthy",
          checks: [{ name: "state", status: "Unhealthy", detail: "the state tables cannot be read" }],
        });
      }
    },
  };

  return { deployment, health };
}
