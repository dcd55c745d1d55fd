import { sharedApp } from "./support";
import type { Answer } from "./support";

const app = sharedApp("triggers", { env: { TICK: "0 0 0 1 1 *" } });
const HOOK = "/runtime/webhooks/EventGrid?functionName=onEvent";

function deliver(events: unknown, { path = HOOK, type = "Notification" } = {}): Promise<Answer> {
  return app().request("POST", path, {
    body: JSON.stringify(events),
    headers: { "content-type": "application/json", "aeg-event-type": type },
  });
}

it("repeats the validation code of a new subscription", async () => {
  const event = { eventType: "Microsoft.EventGrid.SubscriptionValidationEvent", data: { validationCode: "code-1" } };
  const { status, text } = await deliver([event], { type: "SubscriptionValidation" });

  expect({ status, body: JSON.parse(text) as unknown }).toEqual({
    status: 200,
    body: { validationResponse: "code-1" },
  });
});

it("allows a CloudEvents subscriber that asks first", async () => {
  const answer = await app().request("OPTIONS", HOOK, { headers: { "webhook-request-origin": "eventgrid.azure.net" } });

  expect(answer.status).toBe(200);
  expect(answer.headers.get("webhook-allowed-origin")).toBe("eventgrid.azure.net");
});

it("hands over events of both schemas, with the case of their data kept", async () => {
  const classic = { id: "1", subject: "a", eventType: "t", data: { CamelCase: 1 } };
  const cloud = { specversion: "1.0", id: "2", source: "s", type: "t", subject: "b", data: { Other: 2 } };
  const first = await deliver([classic]);
  const second = await deliver(cloud);
  const seen = (await app().json("/seen/onEvent")) as { event: unknown }[];

  expect([first.status, second.status]).toEqual([202, 202]);
  expect(seen.map(({ event }) => event)).toEqual([classic, cloud]);
});

it.each([
  { what: "an unknown function", events: [{}], path: "/runtime/webhooks/EventGrid?functionName=other", expected: 404 },
  {
    what: "a function of another kind",
    events: [{}],
    path: "/runtime/webhooks/EventGrid?functionName=root",
    expected: 404,
  },
  { what: "a body that holds no events", events: [1], path: HOOK, expected: 400 },
  { what: "a function that throws", events: [{ subject: "bad" }], path: HOOK, expected: 500 },
])("answers $expected for $what, so that Event Grid knows what to do", async ({ events, path, expected }) => {
  const { status } = await deliver(events, { path });

  expect(status).toBe(expected);
});
