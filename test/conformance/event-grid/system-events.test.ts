import { type EventGridEvent, isSystemEvent } from "@azure/eventgrid";
import {
  computeOf,
  createEstate,
  eventually,
  fast,
  GROUP,
  GROUP_ID,
  LOCATION,
  SPOT,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call } from "../../local/azure/wire";
import { type GridFixture, startGrid, stopGrid } from "./grid-fixture";

const SOURCE = `/subscriptions/${SUBSCRIPTION}`;
const VM = `${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`;

let fixture: GridFixture;

beforeEach(async () => {
  fixture = await startGrid();
  await createEstate(fixture);
});
afterEach(() => stopGrid(fixture));

const systemTopic = async (name: string, source: string, topicType: string) => {
  const { grid, webhook } = fixture;
  await grid.systemTopics.beginCreateOrUpdateAndWait(GROUP, name, { location: "global", source, topicType }, fast);
  const destination = { endpointType: "WebHook", endpointUrl: webhook.url } as const;
  await grid.systemTopicEventSubscriptions.beginCreateOrUpdateAndWait(GROUP, name, "watch", { destination }, fast);
  webhook.received.length = 0;
};
const types = () => fixture.webhook.events.map((event) => String(event["eventType"]));
const of = (subject: string) =>
  fixture.webhook.events.filter((event) => String(event["subject"]).toLowerCase() === subject.toLowerCase());
const putGroup = (name: string, tags = {}) =>
  call(fixture, { method: "PUT", path: `${SOURCE}/resourceGroups/${name}`, body: { location: LOCATION, tags } });

it("delivers the writes of a resource group and of no other (docs: Azure resource group as an Event Grid source)", async () => {
  await systemTopic("group", GROUP_ID, "Microsoft.Resources.ResourceGroups");

  await putGroup("elsewhere");
  await computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);

  await eventually(() => of(VM).length > 0);
  const [event] = of(VM);
  expect(event).toMatchObject({
    topic: GROUP_ID,
    eventType: "Microsoft.Resources.ResourceWriteSuccess",
    metadataVersion: "1",
    data: {
      authorization: { scope: VM, action: "Microsoft.Compute/virtualMachines/write", evidence: { role: "Owner" } },
      operationName: "Microsoft.Compute/virtualMachines/write",
      ...{
        resourceProvider: "Microsoft.Compute",
        resourceUri: VM,
        status: "Succeeded",
        subscriptionId: SUBSCRIPTION,
      },
    },
  });
  expect(isSystemEvent("Microsoft.Resources.ResourceWriteSuccess", event as unknown as EventGridEvent<unknown>)).toBe(
    true,
  );
  expect(of(`${SOURCE}/resourceGroups/elsewhere`)).toEqual([]);
});

it("delivers actions and deletions of a whole subscription (docs: Azure subscription as an Event Grid source)", async () => {
  await systemTopic("wide", SOURCE, "Microsoft.Resources.Subscriptions");
  const { virtualMachines } = computeOf(fixture);

  await virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  await virtualMachines.deallocate(GROUP, "vm-a", fast);
  await virtualMachines.delete(GROUP, "vm-a", fast);
  await putGroup("elsewhere");

  await eventually(() => of(VM).length >= 3 && of(`${SOURCE}/resourceGroups/elsewhere`).length > 0);
  expect(
    of(VM)
      .map((event) => event["eventType"])
      .sort(),
  ).toEqual(["Action", "Delete", "Write"].map((kind) => `Microsoft.Resources.Resource${kind}Success`));
  expect(of(VM).every((event) => event["topic"] === SOURCE)).toBe(true);
});

it("tells of an operation that failed as ResourceWriteFailure (docs: Azure resource group as an Event Grid source; fault plan: operation)", async () => {
  await systemTopic("group", GROUP_ID, "Microsoft.Resources.ResourceGroups");
  const action = { kind: "fail", status: 409, code: "AllocationFailed", message: "none left" } as const;
  fixture.faults.arm({
    service: "arm",
    operation: "PUT .*virtualMachines$",
    stage: "operation",
    skip: 0,
    times: 1,
    action,
  });

  const failed = computeOf(fixture).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);

  await expect(failed).rejects.toThrow(/AllocationFailed/);
  await eventually(() => types().includes("Microsoft.Resources.ResourceWriteFailure"));
});

it("delivers to an event subscription that hangs on the group itself (@azure/arm-eventgrid 14.1.0, eventSubscriptions with a scope)", async () => {
  const destination = { endpointType: "WebHook", endpointUrl: fixture.webhook.url } as const;
  const filter = { includedEventTypes: ["Microsoft.Resources.ResourceWriteSuccess"], subjectEndsWith: "/disk-a" };
  await fixture.grid.eventSubscriptions.beginCreateOrUpdateAndWait(GROUP_ID, "direct", { destination, filter }, fast);
  const path = (name: string) => `${GROUP_ID}/providers/Microsoft.Compute/disks/${name}`;
  const body = {
    location: LOCATION,
    sku: { name: "Premium_LRS" },
    properties: { diskSizeGB: 4, creationData: { createOption: "Empty" } },
  };

  await call(fixture, { method: "PUT", path: path("disk-b"), body });
  await call(fixture, { method: "PUT", path: path("disk-a"), body });

  await eventually(() => fixture.webhook.events.length > 0);
  expect(fixture.webhook.events.map((event) => event["subject"])).toEqual([path("disk-a")]);
});

it("tells of an eviction as health resources and not as a resource event (docs: Azure Resource Notifications, Health resources)", async () => {
  await systemTopic("health", SOURCE, "Microsoft.ResourceNotifications.HealthResources");
  const { virtualMachines } = computeOf(fixture);
  await virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a", SPOT), fast);

  await virtualMachines.simulateEviction(GROUP, "vm-a");

  await eventually(() => of(VM).length === 2);
  const byType = new Map(of(VM).map((event) => [String(event["eventType"]).split(".").at(-1), event["data"]] as const));
  expect(byType.get("ResourceAnnotated")).toMatchObject({
    resourceInfo: { properties: { annotationName: "VirtualMachinePreempted", targetResourceId: VM } },
  });
  expect(byType.get("AvailabilityStatusChanged")).toMatchObject({
    resourceInfo: {
      type: "Microsoft.ResourceHealth/availabilityStatuses",
      properties: { previousAvailabilityState: "Available", availabilityState: "Unavailable", targetResourceId: VM },
    },
    apiVersion: "2023-12-01",
  });
});

it("says Unavailable when a customer stops a VM and Available when it is started (docs: Health resources, AvailabilityStatusChanged)", async () => {
  await systemTopic("health", SOURCE, "Microsoft.ResourceNotifications.HealthResources");
  const { virtualMachines } = computeOf(fixture);
  await virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);

  await virtualMachines.deallocate(GROUP, "vm-a", fast);
  await virtualMachines.start(GROUP, "vm-a", fast);

  await eventually(() => of(VM).length === 2);
  const states = of(VM).map((event) => {
    const { resourceInfo } = event["data"] as { resourceInfo: { properties: { availabilityState: string } } };
    return resourceInfo.properties.availabilityState;
  });
  expect(states.sort()).toEqual(["Available", "Unavailable"]);
});
