import {
  type AzureFixture,
  computeOf,
  createEstate,
  fast,
  GROUP,
  GROUP_ID,
  startFixture,
  stopFixture,
  SUBNET_ID,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, codeOf, messageOf } from "../../local/azure/wire";
import { armClients } from "./arm-clients";
import { createNetwork, networkBody, watchHeaders } from "./arm-fixture";
import { refusalOf } from "./rights-clients";

let fixture: AzureFixture;
beforeEach(async () => {
  fixture = await startFixture();
  await createEstate(fixture);
});
afterEach(() => stopFixture(fixture));

const NETWORK = `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet`;
const vms = () => computeOf(fixture).virtualMachines;
const networks = () => armClients(fixture).network.virtualNetworks;
const makeVm = async () => await vms().createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
/** A client that sends a header of its own. */
const withHeader = (name: string, value: string) => ({ ...fast, requestOptions: { headers: { [name]: value } } });
const putNetwork = async (header: string, value: string, name = "vnet") =>
  await networks().createOrUpdate(GROUP, name, networkBody({ v: value }), withHeader(header, value));

it("says a VM's etag in its body and in a header, and counts it up with each change (docs: etag of a VM)", async () => {
  const { headers, onResponse } = watchHeaders();
  const made = await makeVm();
  const idle = await vms().get(GROUP, "vm-a", { onResponse });
  const changed = await vms().update(GROUP, "vm-a", { tags: { a: "1" } }, fast);

  expect([made.etag, idle.etag, headers["etag"], changed.etag]).toEqual(['"1"', '"1"', '"1"', '"2"']);
});

it("changes a VM only if it is as the caller knows it (@azure/arm-compute 25, ifMatch)", async () => {
  const { etag = "" } = await makeVm();
  const update = async (ifMatch: string, a: string) =>
    await vms().update(GROUP, "vm-a", { tags: { a } }, { ...fast, ifMatch });

  const changed = await update(etag, "1");
  const late = await refusalOf(update(etag, "2"));
  const put = await refusalOf(
    vms()
      .createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), { ...fast, ifMatch: etag })
      .submitted(),
  );
  const anyhow = await update("*", "3");

  expect(changed.tags).toEqual({ a: "1" });
  expect(late).toEqual({
    status: 412,
    code: "PreconditionFailed",
    message: 'Etag provided in if-match header "1" does not match etag "2" of resource.',
  });
  expect([put.code, anyhow.tags]).toEqual(["PreconditionFailed", { a: "3" }]);
});

it("makes a VM only if there is none (@azure/arm-compute 25, ifNoneMatch)", async () => {
  const make = async (more: object) => await vms().createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), { ...fast, ...more });
  const update = await refusalOf(vms().createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), { ifMatch: "*" }).submitted());
  const made = await make({ ifNoneMatch: "*" });
  const again = await refusalOf(vms().createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), { ifNoneMatch: "*" }).submitted());
  const other = await refusalOf(
    vms().createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), { ifNoneMatch: '"1"' }).submitted(),
  );

  expect(made.etag).toBe('"1"');
  expect([update.status, again.status]).toEqual([412, 412]);
  expect([update.code, again.code, other.code]).toEqual([
    "PreconditionFailed",
    "PreconditionFailed",
    "InvalidParameter",
  ]);
});

it("says a network's etag in its body and in a header, and renews it with each change (@azure/arm-network 39)", async () => {
  const { headers, onResponse } = watchHeaders();
  const first = await networks().get(GROUP, "vnet", { onResponse });
  const same = await networks().get(GROUP, "vnet");
  const tagged = await networks().updateTags(GROUP, "vnet", { tags: { a: "1" } });
  await armClients(fixture).network.subnets.createOrUpdate(
    GROUP,
    "vnet",
    "s",
    { addressPrefix: "10.64.64.0/20" },
    fast,
  );
  const withSubnet = await networks().get(GROUP, "vnet");

  expect(first.etag).toMatch(/^W\/"[0-9a-f-]{36}"$/);
  expect([headers["etag"], same.etag]).toEqual([first.etag, first.etag]);
  expect(new Set([first.etag, tagged.etag, withSubnet.etag]).size).toBe(3);
});

it("changes a network only if it is as the caller knows it (recorded: PreconditionFailedEtagMismatch)", async () => {
  const { etag: old = "" } = await networks().get(GROUP, "vnet");
  const changed = await createNetwork(armClients(fixture).network, "vnet", { a: "1" });

  const refused = await call(fixture, {
    method: "PATCH",
    path: NETWORK,
    headers: { "If-Match": old },
    body: { tags: { a: "2" } },
  });
  const byClient = await refusalOf(putNetwork("If-Match", old));
  const kept = await networks().get(GROUP, "vnet");
  const strong = await putNetwork("If-Match", (kept.etag ?? "").slice(2));

  expect([refused.status, codeOf(refused), messageOf(refused)]).toEqual([
    412,
    "PreconditionFailed",
    "Precondition failed.",
  ]);
  expect((refused.body as { error: { details: object[] } }).error.details).toEqual([
    {
      code: "PreconditionFailedEtagMismatch",
      message: `Etag provided in if-match header ${old} does not match etag ${changed.etag ?? ""} of resource ${NETWORK} in NRP data store.`,
    },
  ]);
  expect([byClient.code, kept.tags, strong.name]).toEqual(["PreconditionFailed", { a: "1" }, "vnet"]);
});

it("makes a network only if there is none, and changes none that is not there (@azure/arm-network 39)", async () => {
  const made = await putNetwork("If-None-Match", "*", "new");
  const again = await refusalOf(putNetwork("If-None-Match", "*", "new"));
  const missing = await refusalOf(putNetwork("If-Match", "*", "none"));

  expect(made.name).toBe("new");
  expect([again.status, missing.status]).toEqual([412, 412]);
});

it("deletes a network or a subnet only if it is as the caller knows it (recorded: PreconditionFailed)", async () => {
  const remove = (path: string, etag: string) =>
    call(fixture, { method: "DELETE", path, headers: { "If-Match": etag } });
  const { body } = await call(fixture, { path: SUBNET_ID });
  const { etag } = body as { etag: string };

  const refused = [await remove(NETWORK, 'W/"old"'), await remove(SUBNET_ID, 'W/"old"')];
  const gone = await remove(SUBNET_ID, etag);

  expect(refused.map(codeOf)).toEqual(["PreconditionFailed", "PreconditionFailed"]);
  expect(gone.status).toBe(200);
});

it("does not read the headers where a type has no etag (docs: disks, ifMatch is not among the parameters)", async () => {
  const path = `${GROUP_ID}/providers/Microsoft.Compute/disks/d`;
  const body = { location: "westus3", properties: { creationData: { createOption: "Empty" }, diskSizeGB: 4 } };
  await call(fixture, { method: "PUT", path, body });

  const again = await call(fixture, { method: "PUT", path, body, headers: { "If-Match": '"7"' } });

  expect([again.status, again.headers["etag"]]).toEqual([200, undefined]);
});
