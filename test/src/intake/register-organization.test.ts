import { OrganizationIntake } from "../../../src/intake/register-organization";
import { OrganizationTable } from "../../../src/state/organization-table";
import { useTable } from "../../support/azurite";
import { sampleOrganization, SUBSCRIPTION } from "../../support/sample-rows";

const table = useTable("Organizations");
const setUp = () => {
  const organizations = new OrganizationTable(table());
  return { organizations, intake: new OrganizationIntake(organizations) };
};

it("registers once, and keeps the suffix through every later change", async () => {
  const { intake, organizations } = setUp();
  const first = await intake.put(sampleOrganization());
  const second = await intake.put(sampleOrganization({ queueSubmission: false }));
  const row = (await organizations.find("demo"))?.value;

  expect(first).toMatchObject({ outcome: "registered", row: { state: "Registered" } });
  expect(second).toMatchObject({ outcome: "updated", row: { settings: { queueSubmission: false } } });
  expect(row?.suffix).toMatch(/^[0-9a-f]{6}$/);
  expect(row?.suffix).toBe(first.outcome === "refused" ? "" : first.row.suffix);
});

it("registers one of ten that come at once", async () => {
  const { intake, organizations } = setUp();

  const answers = await Promise.allSettled(Array.from({ length: 10 }, () => intake.put(sampleOrganization())));

  const registered = answers.filter((each) => each.status === "fulfilled" && each.value.outcome === "registered");
  expect(registered).toHaveLength(1);
  expect(await organizations.list()).toHaveLength(1);
});

it.each([
  ["subscriptionId", { subscriptionId: SUBSCRIPTION.replace("5a1e", "5a1f") }],
  ["machineIdentity", { machineIdentity: { type: "system-assigned" } }],
])("refuses to change %s", async (field, settings) => {
  const { intake, organizations } = setUp();
  await intake.put(sampleOrganization());

  expect(await intake.put(sampleOrganization(settings))).toMatchObject({ outcome: "refused", field });
  expect((await organizations.find("demo"))?.value.settings).toEqual(sampleOrganization());
});

it("goes from Registered to Provisioning with the first confirmation, and no later one turns it back", async () => {
  const { intake, organizations } = setUp();
  await intake.put(sampleOrganization());
  const first = await intake.confirm("demo", { dataBlobEndpoint: "https://a.blob.core.windows.net" });
  const row = await organizations.find("demo");
  if (row) await organizations.replace(row, { ...row.value, state: "Degraded" });
  const second = await intake.confirm("demo", {});

  expect(first).toMatchObject({ state: "Provisioning", dataBlobEndpoint: "https://a.blob.core.windows.net" });
  expect(second).toMatchObject({ state: "Degraded", dataBlobEndpoint: "https://a.blob.core.windows.net" });
});

it("confirms nothing for an organization that is not there", async () => {
  await expect(setUp().intake.confirm("demo", {})).rejects.toThrow("confirm demo");
});
