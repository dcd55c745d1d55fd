import {
  type AzureFixture,
  computeOf,
  createEstate,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  resourcesOf,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, codeOf } from "../../local/azure/wire";
import { deploymentsOf } from "./arm-clients";
import { deployToGroup, identityOf } from "./deploy";
import { refusalOf } from "./rights-clients";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const VM_TYPE = "Microsoft.Compute/virtualMachines";
const portal = async (method: string, path: string, body?: unknown): Promise<number> => {
  const reply = await fetch(`${fixture.azure.portalUrl}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return reply.status;
};
const makeVm = (more = {}): Promise<unknown> =>
  computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a", more), fast);

it("refuses a type with the policy, its assignment and what was evaluated (docs: policy/concepts/effect-deny; recorded body in automation/enforce-job-execution-hybrid-worker)", async () => {
  await portal("PUT", "/policies/no-vms", {
    displayName: "No machines here",
    scope: GROUP_ID,
    resourceTypes: [VM_TYPE],
  });
  const spec = { path: `${GROUP_ID}/providers/${VM_TYPE}/vm-a`, method: "PUT", body: vmSpec("vm-a") };

  const refusal = await refusalOf(makeVm());
  const { body } = await call(fixture, spec);

  expect(refusal).toMatchObject({ status: 403, code: "RequestDisallowedByPolicy" });
  expect(refusal.message).toContain(
    `Resource 'vm-a' was disallowed by policy. Policy identifiers: '[{"policyAssignment":{"name":"No machines here","id":"${GROUP_ID}/providers/Microsoft.Authorization/policyAssignments/no-vms"}`,
  );
  expect((body as { error: unknown }).error).toMatchObject({
    target: "vm-a",
    additionalInfo: [
      {
        type: "PolicyViolation",
        info: {
          policyDefinitionDisplayName: "No machines here",
          policyDefinitionEffect: "Deny",
          policyAssignmentScope: GROUP_ID,
          evaluationDetails: {
            evaluatedExpressions: [{ result: "True", expression: "type", expressionValue: VM_TYPE, operator: "In" }],
          },
        },
      },
    ],
  });
  expect(fixture.azure.vmsEverCreated()).toBe(0);
});

it("refuses everything outside the allowed locations, at any level of its scope (docs: policy samples, allowed locations)", async () => {
  await portal("PUT", "/policies/west", { allowedLocations: [LOCATION] });
  const { resourceGroups } = resourcesOf(fixture);

  expect(await refusalOf(resourceGroups.createOrUpdate("north", { location: "northeurope" }))).toMatchObject({
    code: "RequestDisallowedByPolicy",
  });
  expect(await resourceGroups.createOrUpdate("west", { location: "West US 3" })).toMatchObject({ location: LOCATION });
});

it("demands a tag at create and at PATCH, whatever its case, until the policy goes (docs: policy samples, require a tag)", async () => {
  await portal("PUT", "/policies/tagged", { resourceTypes: [VM_TYPE], requiredTags: ["Cost-Center"] });
  const untagged = await refusalOf(makeVm());
  await makeVm({ tags: { "cost-center": "7" } });
  const { virtualMachines } = computeOf(fixture);
  const other = await virtualMachines.update(GROUP, "vm-a", { tags: { a: "b" } }, fast);
  const removed = await portal("DELETE", "/policies/tagged");
  const free = await computeOf(fixture).virtualMachines.createOrUpdate(
    GROUP,
    "vm-b",
    vmSpec("vm-b", { tags: {} }),
    fast,
  );

  expect([untagged.code, other.name, removed, free.provisioningState]).toEqual([
    "RequestDisallowedByPolicy",
    "vm-a",
    204,
    "Succeeded",
  ]);
});

it("makes a deployment fail that a policy forbids (docs: troubleshooting error-policy-requestdisallowedbypolicy)", async () => {
  await portal("PUT", "/policies/no-identities", {
    resourceTypes: ["Microsoft.ManagedIdentity/userAssignedIdentities"],
  });

  await refusalOf(deployToGroup(fixture, { name: "d", template: { resources: [identityOf("id")] } }));

  const { properties } = await deploymentsOf(fixture).deployments.get(GROUP, "d");

  expect(properties?.error).toMatchObject({
    code: "DeploymentFailed",
    details: [{ code: "RequestDisallowedByPolicy" }],
  });
});

it("asks for the role before the policy, and forbids neither reading nor deleting (docs: policy/concepts/effect-deny)", async () => {
  await makeVm();
  await portal("PUT", "/policies/no-vms", { resourceTypes: [VM_TYPE] });
  const stranger = fixture.azure.addServicePrincipal({ displayName: "stranger" });
  const path = `${GROUP_ID}/providers/${VM_TYPE}/vm-a`;

  expect(codeOf(await call(fixture, { method: "PUT", path, body: vmSpec("vm-a"), as: stranger }))).toBe(
    "AuthorizationFailed",
  );
  expect((await call(fixture, { path })).status).toBe(200);
  expect((await call(fixture, { method: "DELETE", path })).status).toBe(202);
});

it.each([
  {},
  { resourceTypes: [] },
  { effect: "audit", resourceTypes: ["a/b"] },
  { scope: "here", resourceTypes: ["a/b"] },
])("takes no rule like %j (local: portal)", async (rule) => {
  expect(await portal("PUT", "/policies/bad", rule)).toBe(400);
  expect(await portal("DELETE", "/policies/bad")).toBe(404);
});

it("lists its rules (local: portal)", async () => {
  await portal("PUT", "/policies/one", { requiredTags: ["a"] });
  const reply = await fetch(`${fixture.azure.portalUrl}/policies`);

  expect(await reply.json()).toEqual({
    value: [{ name: "one", displayName: "one", scope: `/subscriptions/${SUBSCRIPTION}`, requiredTags: ["a"] }],
  });
});
