import fc from "fast-check";
import { parseKql } from "../../../local/azure/arm/resource-graph/kql-query";
import { KqlError } from "../../../local/azure/arm/resource-graph/kql-tokens";

const rows = [
  { id: "1", name: "a", size: 3, tags: { team: "x" }, list: [1, 2] },
  { id: "2", name: "b", size: null, tags: null, list: [] },
  { id: "3", name: "A b", size: 10, tags: { team: "Y" }, list: "none" },
];

const word = fc.constantFrom(
  ...[
    "Resources",
    "|",
    "where",
    "project",
    "extend",
    "summarize",
    "order",
    "by",
    "count",
    "take",
    "top",
    "distinct",
    "asc",
  ],
  ...[
    "name",
    "size",
    "tags",
    "list",
    "tags.team",
    "['team']",
    "tolower",
    "count()",
    "sum(size)",
    "(",
    ")",
    ",",
    "=",
    "==",
    "=~",
    "!=",
  ],
  ...[
    "in",
    "in~",
    "!in",
    "contains",
    "has",
    "and",
    "or",
    "not",
    "'x'",
    '"y"',
    "1",
    "2.5",
    "1d",
    "-",
    "+",
    ".",
    "[",
    "]",
    "true",
    "null",
  ],
  ...["__proto__", "constructor", "hasOwnProperty"],
);

it("reads any words as a query or refuses them, and runs what it reads (docs: Kusto, query language)", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: fc.string({ maxLength: 6 }) }), {
        maxLength: 20,
      }),
      (words) => {
        const text = `Resources | ${words.join(" ")}`;
        try {
          const found = parseKql(text).run(rows);
          expect(Array.isArray(found)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(KqlError);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

it("filters to a part of the rows, whatever the condition (docs: Kusto, where)", () => {
  const operand = fc.constantFrom("name", "size", "tags.team", "'a'", "3", "null", "list[0]", "tolower(name)");
  const operator = fc.constantFrom(
    "==",
    "!=",
    "=~",
    "!~",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "!contains",
    "has",
    "!has",
    "startswith",
    "endswith",
  );
  fc.assert(
    fc.property(operand, operator, operand, (left, compare, right) => {
      const kept = parseKql(`Resources | where ${left} ${compare} ${right}`).run(rows);
      const dropped = parseKql(`Resources | where not(${left} ${compare} ${right})`).run(rows);
      expect(kept.length + dropped.length).toBe(rows.length);
    }),
  );
});
