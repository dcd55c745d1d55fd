import { sharedApp, until } from "../host/support";
import { ended, raise, reached, start, statusOf } from "./orchestrations";

const app = sharedApp("any-state");

it("replaces a running instance where host.json allows it, and drops what the old one still gets", async () => {
  await start(app(), "fiveSlowSteps", { id: "one", input: { n: 0, waitMs: 100 } });
  await reached(app(), "one", { EventType: "TaskScheduled" });
  await start(app(), "approval", { id: "one", input: { withinMs: 600_000 } });
  await raise(app(), { id: "one", name: "Approval", data: "new" });
  const { name, output } = await ended(app(), "one");

  expect({ name, output }).toEqual({ name: "approval", output: { approved: "new", after: "after" } });
});

it("lets a replaced instance neither end nor change the new one", async () => {
  await start(app(), "fiveSlowSteps", { id: "two", input: { n: 0, waitMs: 30 } });
  await start(app(), "fiveSlowSteps", { id: "two", input: { n: 100, waitMs: 30 } });
  const { output } = await ended(app(), "two");
  const { historyEvents = [] } = await until(
    () => statusOf(app(), "two", "?showHistory=true"),
    ({ runtimeStatus }) => runtimeStatus === "Completed",
  );

  expect(output).toBe(105);
  expect(historyEvents.filter(({ EventType }) => EventType === "TaskCompleted")).toHaveLength(5);
});
