import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultPlan } from "../local/faults/fault-plan";
import { startServiceBus } from "../local/service-bus/service-bus";

/** The Service Bus emulator as a child process, with a queue on disk. */
const folder = mkdtempSync(join(tmpdir(), "corral-bench-bus-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

startServiceBus({
  ...{ port: 0, dataFile: join(folder, "bus.sqlite"), faults: new FaultPlan() },
  queues: [{ name: "bench" }],
  keys: [{ name: "bench", value: "c2VjcmV0" }],
  log: (line) => process.stderr.write(`${line}\n`),
}).then(
  ({ connectionString }) => process.send?.({ type: "ready", connectionString }),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));
