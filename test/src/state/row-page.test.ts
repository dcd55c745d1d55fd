import { pageOfRows } from "../../../src/state/row-page";
import { insertRow, listRows, toEntity } from "../../../src/state/rows";
import { useTable } from "../../support/azurite";

const table = useTable("Rows");

it("goes through a partition by pages, in the order of keys, while rows come and go", async () => {
  for (const key of ["a", "b", "c", "d"]) await insertRow(table(), toEntity("demo", key, { key }));
  await insertRow(table(), toEntity("other", "b2", { key: "foreign" }));
  const first = await pageOfRows<{ key: string }>(table(), { partitionKey: "demo", top: 2 });
  await insertRow(table(), toEntity("demo", "b1", { key: "b1" }));
  await table().deleteEntity("demo", "b");
  const second = await pageOfRows<{ key: string }>(table(), { partitionKey: "demo", top: 2, after: first.next });
  const third = await pageOfRows<{ key: string }>(table(), { partitionKey: "demo", top: 2, after: second.next });

  expect([first, second, third].map(({ values }) => values.map(({ key }) => key))).toEqual([
    ["a", "b"],
    ["b1", "c"],
    ["d"],
  ]);
  expect(third.next).toBeUndefined();
});

it("reads no row of another partition, even if the store gave one (T10)", async () => {
  await insertRow(table(), toEntity("other", "row", { key: "foreign" }));
  const real = table();
  // As if the filter had been bent: everything comes.
  const bent = new Proxy(real, {
    get: (target, name) =>
      name === "listEntities" ? () => target.listEntities() : (Reflect.get(target, name) as unknown),
  });

  await expect(listRows(bent, "demo", "")).rejects.toThrow("a row of other came for demo");
  await expect(pageOfRows(bent, { partitionKey: "demo", top: 5 })).rejects.toThrow("a row of other came for demo");
});
