import fc from "fast-check";
import { OPERATOR_NAMES } from "../../../local/azure/arm/authorization/condition-operators";
import {
  type AttributeReference,
  type AttributeSource,
  type Condition,
  conditionText,
  QUANTIFIERS,
} from "../../../local/azure/arm/authorization/condition-syntax";
import { type ConditionFacts, isFulfilled } from "../../../local/azure/arm/authorization/evaluate-condition";
import { ConditionSyntaxError, parseCondition } from "../../../local/azure/arm/authorization/parse-condition";

const WRITE = "Microsoft.Authorization/roleAssignments/write";
const DELETE = "Microsoft.Authorization/roleAssignments/delete";
const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const BACKUP = "5e467623-bb1f-42f4-a55d-6e525e11384b";
const TYPE = "Microsoft.Authorization/roleAssignments";

const judge = (text: string, facts: ConditionFacts): boolean => isFulfilled(parseCondition(text), facts);
const request = (given: Readonly<Record<string, string>>, action = WRITE): ConditionFacts => ({
  action,
  attributes: {
    Request: Object.fromEntries(Object.entries(given).map(([name, value]) => [`${TYPE}:${name}`, value])),
  },
});

/** The example "Constrain roles and principal types" of the documents, for both actions. */
const DELEGATED = `
((!(ActionMatches{'${WRITE}'})) OR
 (@Request[${TYPE}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${READER}, ${BACKUP}}
  AND @Request[${TYPE}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))
AND
((!(ActionMatches{'${DELETE}'})) OR
 (@Resource[${TYPE}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${READER}, ${BACKUP}}))`;

it.each([
  {
    what: "an allowed role for an allowed type",
    given: { RoleDefinitionId: READER, PrincipalType: "serviceprincipal" },
    is: true,
  },
  {
    what: "a GUID in capitals",
    given: { RoleDefinitionId: BACKUP.toUpperCase(), PrincipalType: "ServicePrincipal" },
    is: true,
  },
  { what: "another role", given: { RoleDefinitionId: WRITE, PrincipalType: "ServicePrincipal" }, is: false },
  { what: "another type of principal", given: { RoleDefinitionId: READER, PrincipalType: "User" }, is: false },
  { what: "a type that nobody knows", given: { RoleDefinitionId: READER }, is: false },
])("judges $what: $is (docs: delegate-role-assignments-examples)", ({ given, is }) => {
  expect(judge(DELEGATED, request(given as Readonly<Record<string, string>>))).toBe(is);
});

it.each([
  ["ForAnyOfAnyValues:StringEquals {'a', 'b'}", true],
  ["ForAllOfAnyValues:StringEquals {'a', 'b'}", false],
  ["ForAllOfAnyValues:StringEquals {'a', 'c', 'x'}", true],
  ["ForAnyOfAllValues:StringNotEquals {'x', 'y'}", true],
  ["ForAllOfAllValues:StringNotEquals {'x', 'a'}", false],
  ["ForAllOfAllValues:StringNotEquals {'x', 'y'}", true],
])("compares the values a and c with %s: %s (docs: conditions-format, cross product functions)", (comparison, is) => {
  const attributes = { Resource: { "x:y": ["a", "c"] } };

  expect(judge(`@Resource[x:y] ${comparison}`, { action: WRITE, attributes })).toBe(is);
});

it.each([
  ["StringStartsWithIgnoreCase 'HELL'", true],
  ["StringLike 'h*o'", true],
  ["StringNotLike 'h?llo'", false],
  ["StringEquals 'Hello'", false],
  ["NumericGreaterThan 3", false],
  ["GuidEquals hello", true],
])("compares the value hello with %s: %s (docs: conditions-format, operators)", (comparison, is) => {
  expect(judge(`@Request[a:b] ${comparison}`, { action: WRITE, attributes: { Request: { "A:B": "hello" } } })).toBe(is);
});

it("binds NOT closer than AND, and AND closer than OR, in words and in signs (docs: conditions-format)", () => {
  const yes = `ActionMatches{'${WRITE}'}`;
  const no = `ActionMatches{'${DELETE}'}`;
  const facts = request({});

  expect(judge(`${yes} OR ${yes} AND ${no}`, facts)).toBe(true);
  expect(judge(`${yes} || ${yes} && ${no}`, facts)).toBe(true);
  expect(judge(`(${yes} OR ${yes}) AND ${no}`, facts)).toBe(false);
  expect(judge(`NOT ${no} AND ${yes}`, facts)).toBe(true);
  expect(judge(`!${yes} || ${no}`, facts)).toBe(false);
});

it.each([
  "",
  "(",
  "ActionMatches{'a'} AND",
  "ActionMatches{'a'} ActionMatches{'b'}",
  "ActionMatches('a')",
  "ActionMatches{'a}",
  "@Request[a:b] GuidEqual x",
  "@Request[a:b] GuidEquals {x, y}",
  "@Request[a:b] ForSomeValues:GuidEquals {x}",
  "@Nobody[a:b] StringEquals 'x'",
  "@Request[] StringEquals 'x'",
  "'x' StringEquals 'x'",
  "a ; b",
  `${"(".repeat(500)}ActionMatches{'a'}${")".repeat(500)}`,
  "!".repeat(5000),
  `ActionMatches{'${"a".repeat(9000)}'}`,
])("refuses to read %# (docs: conditions-troubleshoot)", (text) => {
  expect(() => parseCondition(text)).toThrow(ConditionSyntaxError);
});

const attribute: fc.Arbitrary<AttributeReference> = fc.record({
  kind: fc.constant("attribute" as const),
  source: fc.constantFrom<AttributeSource>("Request", "Resource", "Principal", "Environment"),
  name: fc.constantFrom("a:b", "c:d", "e:f"),
});
const text = fc.string({ unit: fc.constantFrom("a", "B", "'", " ", "1", "*", "{", "]") });
const condition = fc.letrec<{ any: Condition; leaf: Condition }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    tie("leaf"),
    fc.record({ kind: fc.constantFrom("and" as const, "or" as const), left: tie("any"), right: tie("any") }),
    fc.record({ kind: fc.constant("not" as const), of: tie("any") }),
  ),
  leaf: fc.oneof(
    fc.record({ kind: fc.constantFrom("action" as const, "suboperation" as const), pattern: text }),
    fc.record({ kind: fc.constant("exists" as const), attribute }),
    fc.record({
      kind: fc.constant("comparison" as const),
      left: attribute,
      operator: fc.constantFrom(...OPERATOR_NAMES),
      right: fc.oneof(
        attribute,
        fc.record({ kind: fc.constant("values" as const), values: fc.tuple(text), isSet: fc.constant(false) }),
      ),
    }),
    fc.record({
      kind: fc.constant("comparison" as const),
      left: attribute,
      quantifier: fc.constantFrom(...QUANTIFIERS),
      operator: fc.constantFrom(...OPERATOR_NAMES),
      right: fc.record({
        kind: fc.constant("values" as const),
        values: fc.array(text, { minLength: 1, maxLength: 3 }),
        isSet: fc.constant(true),
      }),
    }),
  ),
})).any;

const facts: fc.Arbitrary<ConditionFacts> = fc.record({
  action: text,
  attributes: fc.record({
    Request: fc.dictionary(fc.constantFrom("a:b", "C:D"), text),
    Resource: fc.dictionary(fc.constantFrom("a:b", "e:f"), fc.array(text, { minLength: 1, maxLength: 2 })),
  }),
});

it("reads every condition that it can write, and judges it the same (property; docs: conditions-format)", () => {
  fc.assert(
    fc.property(condition, facts, (written, known) => {
      const read = parseCondition(conditionText(written));

      expect(read).toEqual(written);
      expect(isFulfilled(read, known)).toBe(isFulfilled(written, known));
    }),
    { numRuns: 300 },
  );
});

it("never fulfils both a condition and its negation, and neither where an attribute is unknown (property; local: what is unknown grants nothing)", () => {
  fc.assert(
    fc.property(condition, facts, (one, known) => {
      const [plain, negated] = [isFulfilled(one, known), isFulfilled({ kind: "not", of: one }, known)];

      expect(plain && negated).toBe(false);
      // De Morgan holds with three values too.
      const both: Condition = { kind: "and", left: one, right: one };
      const either: Condition = { kind: "or", left: { kind: "not", of: one }, right: { kind: "not", of: one } };
      expect(isFulfilled({ kind: "not", of: both }, known)).toBe(isFulfilled(either, known));
    }),
    { numRuns: 300 },
  );
  const unknown = "@Request[no:body] StringEquals 'x'";
  expect([judge(unknown, request({})), judge(`!(${unknown})`, request({}))]).toEqual([false, false]);
});

it("throws nothing but its own error, whatever the text is (property; docs: conditions-troubleshoot)", () => {
  const bits = fc.constantFrom(
    "(",
    ")",
    "!",
    "AND ",
    "OR ",
    "ActionMatches{",
    "'",
    "}",
    "@Request[a:b] ",
    "GuidEquals ",
    "{",
    ",",
    "x",
    "é",
    "\n",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(bits).map((some) => some.join("")),
      ),
      (given) => {
        try {
          parseCondition(given);
        } catch (error) {
          expect(error).toBeInstanceOf(ConditionSyntaxError);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
