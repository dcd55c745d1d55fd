import { type AzureFixture, resourcesOf, startFixture, stopFixture } from "../../local/azure/azure-fixture";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => stopFixture(fixture));

it("lists the providers and their types (@azure/arm-resources 8, providers.list)", async () => {
  const found = new Map<string, string[]>();

  for await (const { namespace = "", resourceTypes = [] } of resourcesOf(fixture).providers.list())
    found.set(
      namespace,
      resourceTypes.map(({ resourceType = "" }) => resourceType),
    );

  expect([...found.keys()]).toEqual(expect.arrayContaining(["Microsoft.Compute", "Microsoft.Network"]));
  expect(found.get("Microsoft.Compute")).toContain("virtualMachines");
});

it("registers a provider, and shows it in any case (@azure/arm-resources 8, providers.register, get)", async () => {
  const { providers } = resourcesOf(fixture);

  const registered = await providers.register("Microsoft.Compute");
  const shown = await providers.get("microsoft.compute");

  expect([registered.registrationState, shown.namespace]).toEqual(["Registered", "Microsoft.Compute"]);
});

it("does not know a namespace that is none (docs: InvalidResourceNamespace)", async () => {
  await expect(resourcesOf(fixture).providers.get("Contoso.Nothing")).rejects.toMatchObject({
    statusCode: 404,
    code: "InvalidResourceNamespace",
  });
});
