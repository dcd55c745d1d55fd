import { TestApp, endAppsAfterEach, sharedApp } from "../../local/host/support";
import { client, ended, post, reached, run, start, statusOf, waiting } from "./lab";

const app = sharedApp("durable-lab");

it("runs a failed activity again and keeps what had succeeded (durable-functions 3.5.0, DurableClient.rewind)", async () => {
  await start(app(), "failing", { instanceId: "rewound", input: { key: "rewound", times: 1 } });
  const failed = await ended(app(), "rewound");
  const { value } = await client(app(), "rewind", "rewound", "again");
  const { runtimeStatus, output } = await ended(app(), "rewound");
  const history = await reached(app(), "rewound", "ExecutionCompleted");

  expect([failed.runtimeStatus, value]).toEqual(["Failed", null]);
  expect([runtimeStatus, output]).toEqual(["Completed", 2]);
  expect(history.filter(({ Name, EventType }) => EventType === "TaskScheduled" && Name === "echo")).toHaveLength(1);
});

it("can be done again when it fails again (durable-functions 3.5.0, DurableClient.rewind)", async () => {
  await start(app(), "failing", { instanceId: "stubborn", input: { key: "stubborn", times: 3 } });
  const outcomes: string[] = [(await ended(app(), "stubborn")).runtimeStatus];
  for (let time = 0; time < 3; time += 1) {
    await client(app(), "rewind", "stubborn", "again");
    outcomes.push((await ended(app(), "stubborn")).runtimeStatus);
  }

  expect(outcomes).toEqual(["Failed", "Failed", "Failed", "Completed"]);
});

it("rewinds a failed sub-orchestration and not the parent's other work (docs: Manage instances in Durable Functions, Rewind instances)", async () => {
  const input = { key: "child", times: 1, childId: "rewound-child" };
  await start(app(), "parentOfFailing", { instanceId: "rewound-parent", input });
  const failed = await ended(app(), "rewound-parent");
  await client(app(), "rewind", "rewound-parent", "again");
  const { output } = await ended(app(), "rewound-parent");
  const child = await statusOf(app(), "rewound-child");

  expect(failed.runtimeStatus).toBe("Failed");
  expect(output).toEqual({ first: 1, child: 2 });
  expect(child).toMatchObject({ runtimeStatus: "Completed", output: 2 });
});

it("goes on with a fan-out of which one part failed (docs: Manage instances in Durable Functions, Rewind instances)", async () => {
  await start(app(), "fanOutFailing", { instanceId: "fan", input: { key: "fan" } });
  await ended(app(), "fan");
  await client(app(), "rewind", "fan", "again");
  const { output } = await ended(app(), "fan");

  expect(output).toEqual([1, 2, null]);
});

it("gives an exhausted retry one more attempt (docs: Manage instances in Durable Functions, Rewind instances)", async () => {
  const input = { key: "exhausted", times: 2, max: 2, first: 5 };
  await start(app(), "retried", { instanceId: "exhausted", input });
  const failed = await ended(app(), "exhausted");
  await client(app(), "rewind", "exhausted", "again");
  const { output } = await ended(app(), "exhausted");

  expect(failed.runtimeStatus).toBe("Failed");
  expect(output).toBe(3);
});

it("answers 404 for an unknown instance and 412 for one that has not failed (durable-functions 3.5.0, DurableClient.rewind)", async () => {
  const { instanceId } = await run(app(), "echoes");
  const running = await start(app(), "waitFor");
  await waiting(app(), running);
  const unknown = await client(app(), "rewind", "never-was", "again");
  const completed = await client(app(), "rewind", instanceId, "again");
  const { status } = await post(app(), `instances/${running}/rewind?reason=x`);

  expect(unknown.error).toContain("never-was");
  expect(completed.error).toContain('only orchestrations in the "Failed" state can be rewound');
  expect(status).toBe(412);
});

it("says clearly that a failure inside a critical section cannot be rewound (durable-functions 3.5.0, DurableClient.rewind answers 501)", async () => {
  const { instanceId, runtimeStatus } = await run(app(), "critical");
  const { error } = await client(app(), "rewind", instanceId, "again");

  expect(runtimeStatus).toBe("Failed");
  expect(error).toContain("critical section");
});

describe("over a restart", () => {
  endAppsAfterEach();

  it("goes on with changed code, and after a kill (docs: Manage instances in Durable Functions, Rewind instances)", async () => {
    const first = await TestApp.start("durable-lab");
    await start(first, "parentOfFailing", {
      instanceId: "killed",
      input: { key: "k", times: 1_000, childId: "killed-child" },
    });
    await ended(first, "killed");
    await client(first, "rewind", "killed", "again");
    await first.kill("SIGKILL");

    // The counter of attempts starts anew in this process: the activity fails until it is rewound again.
    const second = await TestApp.start("durable-lab", { data: first.data });
    const { runtimeStatus } = await ended(second, "killed");
    const history = await reached(second, "killed", "ExecutionCompleted");

    expect(runtimeStatus).toBe("Failed");
    expect(history.filter(({ EventType }) => EventType === "ExecutionCompleted")).toHaveLength(1);
  });
});
