import { TimerQueue } from "../../../local/durable/timer-queue";

const start = Date.parse("2026-01-01T00:00:00Z");
const DAY_MS = 86_400_000;

let fired: number[];
let queue: TimerQueue;
beforeEach(() => {
  jest.useFakeTimers({ now: start });
  fired = [];
  queue = new TimerQueue(({ task }) => fired.push(task));
});
afterEach(() => {
  queue.stop();
  jest.useRealTimers();
});

function add(task: number, afterMs: number): void {
  queue.add({ iid: 1, execution: "e", task, fireAt: start + afterMs });
}

it("fires in the order in which timers come due, whatever the order in which they were set", () => {
  const afterMs = [700, 100, 900, 300, 500, 100, 800];
  for (const [task, ms] of afterMs.entries()) add(task, ms);
  jest.advanceTimersByTime(1_000);

  expect(fired.map((task) => afterMs[task])).toEqual([100, 100, 300, 500, 700, 800, 900]);
});

it("fires at once what came due before it was set", () => {
  add(1, -5_000);
  jest.advanceTimersByTime(0);

  expect(fired).toEqual([1]);
});

it("waits longer than a single timer of Node can", () => {
  add(1, 40 * DAY_MS);
  jest.advanceTimersByTime(40 * DAY_MS - 1);
  const early = [...fired];
  jest.advanceTimersByTime(1);

  expect(early).toEqual([]);
  expect(fired).toEqual([1]);
});

it("fires no timer that was cancelled, and still fires those behind it", () => {
  add(1, 100);
  add(2, 200);
  queue.cancel({ iid: 1, execution: "e", task: 1 });
  jest.advanceTimersByTime(300);

  expect(fired).toEqual([2]);
});
