import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { createFaultRoutes } from "../../../local/faults/fault-routes";

it("arms duplicates over http, once by default, and refuses none of them (fault plan: POST /rules)", async () => {
  const faults = new FaultPlan();
  const server = createServer(createFaultRoutes(faults));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/rules`;
  const arm = (action: object) =>
    fetch(url, { method: "POST", body: JSON.stringify({ service: "event-grid", stage: "before", action }) });
  const call = { service: "event-grid", operation: "deliver WebHook", subject: "any" };

  const refused = await arm({ kind: "duplicate", copies: 0 });
  const armed = await arm({ kind: "duplicate" });

  expect([refused.status, armed.status]).toEqual([400, 201]);
  expect(await faults.at("before", call)).toBeUndefined();
  expect([faults.copiesOf(call), faults.copiesOf(call)]).toEqual([1, 0]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
