import {
  type AzureFixture,
  createEstate,
  GROUP_ID,
  LOCATION,
  startFixture,
  stopFixture,
  SUBNET_ID,
} from "../../local/azure/azure-fixture";
import { call, codeOf } from "../../local/azure/wire";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterAll(() => stopFixture(fixture));

const put = (name: string, osDisk: object) =>
  call(fixture, {
    method: "PUT",
    path: `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/${name}`,
    body: {
      location: LOCATION,
      plan: null,
      properties: {
        priority: "spot",
        evictionPolicy: "DEALLOCATE",
        hardwareProfile: { vmSize: "Standard_NC4as_T4_v3" },
        storageProfile: {
          imageReference: { publisher: "microsoft-dsvm", offer: "ubuntu-hpc", sku: "2204", version: "latest" },
          osDisk,
        },
        osProfile: { computerName: name, adminUsername: "corral", adminPassword: "Not-a-secret-1", customData: null },
        networkProfile: {
          networkApiVersion: "2020-11-01",
          networkInterfaceConfigurations: [
            {
              name: "nic",
              properties: { ipConfigurations: [{ name: "ip", properties: { subnet: { id: SUBNET_ID } } }] },
            },
          ],
        },
      },
    },
  });

it("reads names in any case and null as absent, and answers in Azure's spelling (az 2.45: vm create)", async () => {
  const { status, body } = await put("az", { createOption: "fromImage", name: null, deleteOption: null });

  expect([status, body]).toEqual([
    201,
    expect.objectContaining({
      properties: expect.objectContaining({
        priority: "Spot",
        evictionPolicy: "Deallocate",
        storageProfile: expect.objectContaining({
          osDisk: expect.objectContaining({
            createOption: "FromImage",
            name: expect.any(String) as unknown,
          }) as unknown,
        }) as unknown,
      }) as unknown,
    }),
  ]);
});

it("still refuses a name that is none (docs: InvalidParameter)", async () => {
  const reply = await put("no", { createOption: "fromNothing" });

  expect([reply.status, codeOf(reply)]).toEqual([400, "InvalidParameter"]);
});
