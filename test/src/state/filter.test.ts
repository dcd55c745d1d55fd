import { after, and, before, equals, from, upTo } from "../../../src/state/filter";

it("escapes quotes and leaves out what is undefined (T10)", () => {
  expect(
    and(equals("PartitionKey", "a' or PartitionKey ne 'b"), from("RowKey", undefined), before("RowKey", "z")),
  ).toBe("PartitionKey eq 'a'' or PartitionKey ne ''b' and RowKey lt 'z'");
  expect(and(upTo("at", undefined), after("at", undefined))).toBeUndefined();
});

it.each([[["x"]], [{ eq: "x" }], [7], [null], [true]])("takes text only, and not %j (T10)", (value) => {
  // As a body of JSON would have it.
  expect(() => equals("PartitionKey", value as unknown as string)).toThrow("must be text");
});

it.each(["a b", "PartitionKey eq 'x' or a", ""])("takes no column %j", (column) => {
  expect(() => equals(column, "x")).toThrow("is no column");
});
