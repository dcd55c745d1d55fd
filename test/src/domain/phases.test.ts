import { phasesOf } from "../../../src/domain/phases";

const at = (seconds: number): string => new Date(Date.parse("2030-01-01T00:00:00Z") + seconds * 1000).toISOString();

it("measures each part of an attempt on a new machine", () => {
  const phases = phasesOf({
    queuedAt: at(0),
    placingAt: at(1),
    putSentAt: at(3),
    vmSucceededAt: at(30),
    registeredAt: at(40),
    leasedAt: at(41),
    startedAt: at(45),
    runMs: 1234.6,
  });

  expect(phases).toEqual({
    queuedMs: 1000,
    placedMs: 2000,
    createMs: 27_000,
    bootMs: 10_000,
    dispatchMs: 5000,
    runMs: 1235,
  });
});

it("knows no create and no boot of a machine that was there before", () => {
  const moments = {
    queuedAt: at(0),
    placingAt: at(1),
    leasedAt: at(2),
    startedAt: at(5),
    reusedMachine: true,
    putSentAt: at(-99),
  };

  expect(phasesOf(moments)).toEqual({
    queuedMs: 1000,
    placedMs: 1000,
    createMs: 0,
    bootMs: 0,
    dispatchMs: 3000,
    runMs: 0,
  });
});

it("counts all of the wait as creation when the agent was faster than Azure's word", () => {
  const phases = phasesOf({
    queuedAt: at(0),
    placingAt: at(0),
    putSentAt: at(0),
    registeredAt: at(20),
    vmSucceededAt: at(25),
  });

  expect(phases).toMatchObject({ createMs: 20_000, bootMs: 0 });
});

it("is 0 for every part that was not reached, and never negative", () => {
  const zero = { queuedMs: 0, placedMs: 0, createMs: 0, bootMs: 0, dispatchMs: 0, runMs: 0 };

  expect(phasesOf({ queuedAt: at(0) })).toEqual(zero);
  expect(phasesOf({ queuedAt: at(9), placingAt: at(0) })).toEqual(zero);
});
