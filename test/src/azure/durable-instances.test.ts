import type { DurableClient } from "durable-functions";
import { DurableInstances } from "../../../src/azure/durable-instances";

/** The durable client of a host that knows these instances; what it does not have, nobody here calls. */
function clientOf(statuses: Record<string, string>, refusal = "409"): { client: DurableClient; started: string[] } {
  const started: string[] = [];
  const client = {
    startNew: (_name: string, { instanceId }: { instanceId: string }) => {
      if (instanceId in statuses) return Promise.reject(new Error(refusal));
      started.push(instanceId);
      return Promise.resolve(instanceId);
    },
    getStatus: (instanceId: string) =>
      statuses[instanceId] === undefined
        ? Promise.reject(new Error("no answer"))
        : Promise.resolve({ runtimeStatus: statuses[instanceId] }),
    raiseEvent: (instanceId: string) =>
      statuses[instanceId] === "broken"
        ? Promise.reject(new Error("500"))
        : (instanceId in statuses && Promise.resolve()) ||
          Promise.reject(new Error(`No instance with ID '${instanceId}' found.`)),
  };
  return { client: client as unknown as DurableClient, started };
}

const start = (client: DurableClient) => new DurableInstances(client).startOnce("runJob", "i1", {});

it("starts an instance that is not there", async () => {
  const { client, started } = clientOf({});
  await start(client);

  expect(started).toEqual(["i1"]);
});

it.each(["Pending", "Running", "ContinuedAsNew"])(
  "takes a refusal for done when the instance is %s",
  async (status) => {
    await expect(start(clientOf({ i1: status }).client)).resolves.toBeUndefined();
  },
);

it.each(["Completed", "Failed", "Terminated", "Suspended"])(
  "throws a refusal when the instance is %s",
  async (status) => {
    await expect(start(clientOf({ i1: status }, "busy").client)).rejects.toThrow("busy");
  },
);

it("raises an event, says when nobody is there to hear it, and throws anything else", async () => {
  const instances = new DurableInstances(clientOf({ i1: "Running", i2: "broken" }).client);

  expect(await instances.raise("i1", "changed")).toBe(true);
  expect(await instances.raise("i9", "changed")).toBe(false);
  await expect(instances.raise("i2", "changed")).rejects.toThrow("500");
});
