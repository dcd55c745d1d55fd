import {
  type AdvancedFilter,
  type AdvancedOperator,
  type EventFilter,
  matchesFilter,
} from "../../../local/event-grid/event-filter";
import { fromCloudEvent } from "../../../local/event-grid/grid-event";
import { gridEvent, START } from "./engine-fixture";

const event = gridEvent("one", {
  subject: "/blobServices/default/containers/Logs/blobs/a.JPG",
  eventType: "Corral.Sampled",
  data: {
    n: 5,
    s: "Azure Data Factory",
    b: true,
    nothing: null,
    deep: { er: "x" },
    list: [1, 7],
    words: ["alpha", "Beta"],
  },
});

const matches = (filter: EventFilter): boolean => matchesFilter(filter, event);

/** Operator, key, value or values, and what the document says of the event above. */
type Row = readonly [AdvancedOperator, string, AdvancedFilter["value"] | AdvancedFilter["values"], boolean];

const advanced = ([operatorType, key, given]: Row): AdvancedFilter =>
  Array.isArray(given)
    ? { operatorType, key, values: given as NonNullable<AdvancedFilter["values"]> }
    : { operatorType, key, value: given as AdvancedFilter["value"] };

const rows: readonly Row[] = [
  ["NumberIn", "data.n", [1, 5], true],
  ["NumberIn", "data.n", [1, 6], false],
  ["NumberIn", "data.s", [5], false],
  ["NumberNotIn", "data.n", [41, 0], true],
  ["NumberNotIn", "data.n", [5], false],
  ["NumberLessThan", "data.n", 5, false],
  ["NumberLessThan", "data.n", 5.1, true],
  ["NumberGreaterThan", "data.n", 4, true],
  ["NumberGreaterThan", "data.n", 5, false],
  ["NumberLessThanOrEquals", "data.n", 5, true],
  ["NumberGreaterThanOrEquals", "data.n", 5, true],
  ["NumberGreaterThanOrEquals", "data.n", 6, false],
  [
    "NumberInRange",
    "data.n",
    [
      [3.14159, 5],
      [3000, 4000],
    ],
    true,
  ],
  ["NumberInRange", "data.n", [[6, 7]], false],
  ["NumberNotInRange", "data.n", [[6, 7]], true],
  ["NumberNotInRange", "data.n", [[5, 7]], false],
  ["BoolEquals", "data.b", true, true],
  ["BoolEquals", "data.b", false, false],
  ["StringContains", "data.s", ["microsoft", "azure"], true],
  ["StringContains", "data.s", ["aws"], false],
  ["StringNotContains", "data.s", ["contoso", "fabrikam"], true],
  ["StringNotContains", "data.s", ["contoso", "DATA"], false],
  ["StringBeginsWith", "data.s", ["azure"], true],
  ["StringNotBeginsWith", "data.s", ["azure"], false],
  ["StringEndsWith", "data.s", ["factory"], true],
  ["StringNotEndsWith", "data.s", ["factory"], false],
  ["StringIn", "Subject", ["/blobservices/default/containers/logs/blobs/a.jpg"], true],
  ["StringIn", "data.deep.er", ["X"], true],
  ["StringNotIn", "EventType", ["aws", "bridge"], true],
  ["StringNotIn", "EventType", ["corral.sampled"], false],
  ["IsNullOrUndefined", "data.missing", undefined, true],
  ["IsNullOrUndefined", "data.nothing", undefined, true],
  ["IsNullOrUndefined", "data.n", undefined, false],
  ["IsNotNull", "data.n", undefined, true],
  ["IsNotNull", "data.nothing", undefined, false],
];

describe("filters of event subscriptions", () => {
  it.each(rows)("%s of %s with %j says %s (docs: Understand event filtering, Operators)", (...row) => {
    const isMatch = matches({ advancedFilters: [advanced(row)] });

    expect(isMatch).toBe(row[3]);
  });

  it("lets an event without the key through the two NotIn operators alone (docs: Understand event filtering, note on a missing key)", () => {
    const valuesOf = (operator: string) => {
      if (operator.endsWith("Range")) return [[1, 2]];
      return operator.startsWith("String") ? ["x"] : [1];
    };
    const operators = [...new Set(rows.map(([operator]) => operator))].filter((one) => !one.startsWith("Is"));

    const through = operators.filter((operatorType) =>
      matches({ advancedFilters: [{ operatorType, key: "data.missing", values: valuesOf(operatorType) }] }),
    );

    expect(through.sort()).toEqual(["NumberNotIn", "StringNotIn"]);
  });

  it("looks into arrays only when enableAdvancedFilteringOnArrays is set (docs: Understand event filtering, Array)", () => {
    const filters: readonly AdvancedFilter[] = [
      { operatorType: "NumberIn", key: "data.list", values: [7] },
      { operatorType: "StringContains", key: "data.words", values: ["bet"] },
      { operatorType: "StringNotIn", key: "data.words", values: ["gamma"] },
      { operatorType: "NumberNotIn", key: "data.list", values: [7] },
    ];

    const on = filters.map((one) => matches({ advancedFilters: [one], enableAdvancedFilteringOnArrays: true }));
    const off = filters.map((one) => matches({ advancedFilters: [one] }));

    expect(on).toEqual([true, true, true, false]);
    expect(off).toEqual([false, false, false, false]);
  });

  it("joins the values of a filter by or, and filters by and (docs: Understand event filtering, OR and AND)", () => {
    const size: AdvancedFilter = { operatorType: "NumberGreaterThan", key: "data.n", value: 1 };
    const name: AdvancedFilter = { operatorType: "StringIn", key: "data.s", values: ["other"] };

    expect(matches({ advancedFilters: [size] })).toBe(true);
    expect(matches({ advancedFilters: [size, name] })).toBe(false);
  });

  it("compares subjects without case unless isSubjectCaseSensitive is set (@azure/arm-eventgrid 14.1.0, EventSubscriptionFilter)", () => {
    const filter = { subjectBeginsWith: "/BLOBservices/default/containers/logs", subjectEndsWith: ".jpg" };

    expect(matches(filter)).toBe(true);
    expect(matches({ ...filter, isSubjectCaseSensitive: true })).toBe(false);
    expect(matches({ subjectEndsWith: ".png" })).toBe(false);
  });

  it("takes the named event types, or all of them (docs: Understand event filtering, Event type filtering)", () => {
    expect(matches({ includedEventTypes: ["Corral.Other", "Corral.Sampled"] })).toBe(true);
    expect(matches({ includedEventTypes: ["Corral.Other"] })).toBe(false);
    expect(matches({ includedEventTypes: ["All"] })).toBe(true);
    expect(matches({})).toBe(true);
  });

  it("finds the context attributes of a CloudEvent, extensions too (docs: Understand event filtering, CloudEvents)", () => {
    const cloudEvent = fromCloudEvent(
      {
        specversion: "1.0",
        id: "C234",
        type: "com.example.someevent",
        source: "/mycontext",
        comexampleextension1: "value",
      },
      Date.parse(START),
    );
    const filter = (key: string, value: string): EventFilter => ({
      advancedFilters: [{ operatorType: "StringIn", key, values: [value] }],
    });

    expect(matchesFilter(filter("source", "/mycontext"), cloudEvent)).toBe(true);
    expect(matchesFilter(filter("eventid", "C234"), cloudEvent)).toBe(true);
    expect(matchesFilter(filter("eventtype", "com.example.someevent"), cloudEvent)).toBe(true);
    expect(matchesFilter(filter("comexampleextension1", "value"), cloudEvent)).toBe(true);
  });
});
