import { assert as check, json, property } from "fast-check";
import { parseArmBody } from "../../../local/azure/arm/lenient-json";
import { type AzureFixture, startFixture, stopFixture, SUBSCRIPTION } from "../../local/azure/azure-fixture";
import { call, codeOf } from "../../local/azure/wire";

let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => stopFixture(fixture));

const parse = (text: string): unknown => {
  const parsed = parseArmBody(Buffer.from(text));
  return parsed.ok ? parsed.value : "refused";
};

it.each([
  { what: "a name without quotes", text: '{template:{"a":1}}', value: { template: { a: 1 } } },
  { what: "comments", text: '{"a":1, // one\n /* two */ "b":"//no"}', value: { a: 1, b: "//no" } },
  { what: "a comma too many", text: '{"a":[1,2,],}', value: { a: [1, 2] } },
  { what: "single quotes", text: `{'a':'it\\'s "so"'}`, value: { a: `it's "so"` } },
  { what: "a string of several lines", text: '{"a":"[concat(\n1)]"}', value: { a: "[concat(\n1)]" } },
  { what: "a name that strict JSON has as a word", text: "{null:true}", value: { null: true } },
])("reads $what (az 2.45 deployment, Newtonsoft.Json reader of ARM)", ({ text, value }) => {
  expect(parse(text)).toEqual(value);
});

it.each(["{", '{"a":b}', '{"a":1 2}', '{"a":1 "b":2}', "[1,,2]", '{"a":"', "/* no end", "{'a\\"])(
  "refuses %s, which is neither (docs: InvalidRequestContent)",
  (text) => {
    expect(parse(text)).toBe("refused");
  },
);

it("reads whatever is JSON as JSON, with a comment before it too (RFC 8259, fuzzed)", () => {
  const isSame = property(json(), (text) => {
    expect(parse(`/* lenient */ ${text}`)).toEqual(JSON.parse(text));
  });

  check(isSame, { numRuns: 200 });
});

it("takes hardly longer for a hostile text than for a friendly one (4 MB of open comments and quotes)", () => {
  const startedAt = performance.now();

  for (const part of ["/*", '"\\"', "',", "a:", "//\n"]) parse(`{${part.repeat(1_000_000)}`);

  expect(performance.now() - startedAt).toBeLessThan(15_000);
});

it("takes such a body in a request (az 2.45 deployment)", async () => {
  const path = `/subscriptions/${SUBSCRIPTION}/resourceGroups/lenient`;

  const taken = await call(fixture, { method: "PUT", path, text: "{location:'westus3', /* here */ tags:{a:'b'},}" });
  const refused = await call(fixture, { method: "PUT", path, text: "{location:westus3}" });

  expect([taken.status, codeOf(refused)]).toEqual([201, "InvalidRequestContent"]);
});
