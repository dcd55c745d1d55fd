import { eventually, GROUP } from "../../local/azure/azure-fixture";
import { makeTopic, startGrid, stopGrid, subscribe } from "./grid-fixture";

it("lets the subscription fail after ten minutes of Azure's time (docs: Endpoint validation, asynchronous handshake)", async () => {
  // Ten minutes are 6 ms at this speed.
  const fixture = await startGrid({ speed: 100_000 });
  await makeTopic(fixture, "topic");
  fixture.webhook.handshake = (_received, response) => response.writeHead(200).end();

  await subscribe(fixture, ["topic", "forgotten"]);

  const state = async () =>
    (await fixture.grid.topicEventSubscriptions.get(GROUP, "topic", "forgotten")).provisioningState;
  await eventually(async () => (await state()) === "Failed");
  await stopGrid(fixture);
});
