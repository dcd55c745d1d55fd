import { FaultPlan } from "../../../local/faults/fault-plan";
import { startServiceBus } from "../../../local/service-bus/service-bus";

/** The emulator as a process of its own: prints its connection string and runs until it is killed. */
async function main(): Promise<void> {
  const [dataFile = "", port = "0"] = process.argv.slice(2);
  const server = await startServiceBus({
    ...{ dataFile, port: Number(port), faults: new FaultPlan() },
    queues: [{ name: "jobs" }],
    keys: [{ name: "Root", value: "c2VjcmV0" }],
    log: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify({ port: server.port, connectionString: server.connectionString })}\n`);
}

void main();
