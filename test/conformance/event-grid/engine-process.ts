// A process with the delivery engine in it, which a test kills: `node -r typescript-hook.cjs engine-process.ts FILE URL [PUBLISH…]`.
import { DeliveryEngine } from "../../../local/event-grid/delivery-engine";
import { HttpCaller } from "../../../local/event-grid/http-call";
import { postEvents } from "../../../local/event-grid/webhook";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { gridEvent, webhookSubscription } from "./engine-fixture";

const [file = "", url = "", ...ids] = process.argv.slice(2);
const caller = new HttpCaller({ timeoutMs: 30_000 });
const batch = { maxEvents: 1, preferredBytes: 65_536, isOn: false };
const subscription = webhookSubscription({ destination: { kind: "WebHook", url, batch, attributes: [] } });
const engine = new DeliveryEngine({
  file,
  speed: 1000,
  faults: new FaultPlan(),
  find: () => subscription,
  send: (delivery, signal) =>
    postEvents(caller, { url, kind: "webhook", batch, attributes: [] }, { ...delivery, signal }),
  writeDeadLetters: () => Promise.resolve("written"),
  log: (line) => process.stderr.write(`${line}\n`),
});
engine.start();
engine.publish(
  ids.map((id) => gridEvent(id)),
  [subscription],
);
// What is told here is on the disk.
process.send?.({ published: ids.length });
