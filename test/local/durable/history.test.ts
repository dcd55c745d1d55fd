import {
  EventType,
  parseEvents,
  playedTextOf,
  publicEvent,
  replayTextOf,
  textOf,
} from "../../../local/durable/history";
import type { HistoryEvent } from "../../../local/durable/history";

const Timestamp = "2026-01-01T00:00:00.000Z";
const raised: HistoryEvent = { EventType: EventType.EventRaised, EventId: -1, Timestamp, Name: "E", Input: "1" };
const scheduled: HistoryEvent = {
  EventType: EventType.TaskScheduled,
  EventId: 0,
  Timestamp,
  Name: "a",
  Input: "[1]",
  Origin: 3,
};

it("marks an event that comes from the journal as new when it is delivered", () => {
  const [event] = parseEvents(playedTextOf(raised));

  expect(event).toEqual(raised);
  expect(JSON.parse(textOf(event ?? scheduled).fresh)).toEqual({ IsPlayed: false, ...raised });
});

it("replays what the SDK reads and nothing else", () => {
  const text = replayTextOf([
    scheduled,
    raised,
    { EventType: EventType.OrchestratorCompleted, EventId: -1, Timestamp },
  ]);

  expect(JSON.parse(text)).toEqual({ IsPlayed: true, ...raised });
});

it("shows events by name, without what is the host's own", () => {
  const shown = publicEvent(scheduled, true);

  expect(shown).toEqual({
    EventType: "TaskScheduled",
    EventId: 0,
    Timestamp,
    Name: "a",
    FunctionName: "a",
    Input: [1],
  });
});
