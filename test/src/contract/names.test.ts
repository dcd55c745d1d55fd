import fc from "fast-check";
import { JobId, MachineId, OrgName, SecretName, VolumeName } from "../../../src/contract/names";

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

it.each([
  ["abc", true],
  ["a-1", true],
  [`a${"b".repeat(19)}`, true],
  [`a${"b".repeat(20)}`, false],
  ["ab", false],
  ["1abc", false],
  ["abc-", false],
  ["Abc", false],
  ["demo-storage", false],
  ["a_c", false],
  ["demo\n", false],
])("an organization may be called %j: %s", (name, expected) => {
  expect(accepts(OrgName, name)).toBe(expected);
});

it.each([
  ["j", true],
  ["0.a_b-c", true],
  ["a".repeat(63), true],
  ["a".repeat(64), false],
  ["", false],
  ["a..b", false],
  ["..", false],
  [".a", false],
  ["a/b", false],
  ["a:b", false],
  ["a'b", false],
  ["J1", false],
  ["j1\n", false],
])("a job may have the id %j: %s", (id, expected) => {
  expect(accepts(JobId, id)).toBe(expected);
});

it.each([
  ["abcdefgh12", true],
  ["abcdefgh1", false],
  ["abcdefgh123", false],
  ["ABCDEFGH12", false],
])("a machine may have the id %j: %s", (id, expected) => {
  expect(accepts(MachineId, id)).toBe(expected);
});

it.each([
  ["data--set", true, false],
  ["data-set", true, true],
  ["ab", false, false],
  ["-ab", false, false],
  ["ab-", false, false],
  ["a".repeat(63), true, true],
  ["a".repeat(64), false, false],
])("%j as the name of a secret: %s, of a volume: %s", (name, secret, volume) => {
  expect(accepts(SecretName, name)).toBe(secret);
  expect(accepts(VolumeName, name)).toBe(volume);
});

it("accepts no id that could leave its place in a row key, a query or a path", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 70 }), (text) => {
      const accepted = accepts(JobId, text) || accepts(OrgName, text) || accepts(VolumeName, text);

      expect(accepted && /[^a-z0-9._-]|\.\./.test(text)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});
