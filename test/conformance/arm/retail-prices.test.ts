import fc from "fast-check";
import { parsePriceFilter } from "../../../local/azure/retail-prices/price-filter";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { send } from "../../local/azure/wire";

interface Item {
  readonly armSkuName: string;
  readonly armRegionName: string;
  readonly skuName: string;
  readonly meterName: string;
  readonly productName: string;
  readonly retailPrice: number;
  readonly currencyCode: string;
  readonly meterId: string;
}
interface Page {
  readonly Items: readonly Item[];
  readonly NextPageLink: string | null;
  readonly Count: number;
  readonly BillingCurrency: string;
}

const REGIONS = Array.from({ length: 12 }, (_, index) => `region${index}`);
let fixture: AzureFixture;
beforeAll(async () => {
  fixture = await startFixture({ locations: ["westus3", "westus", ...REGIONS] });
});
afterAll(() => stopFixture(fixture));

async function pricesOf(filter: string, more = ""): Promise<Page> {
  const { pathname } = new URL(fixture.azure.pricesUrl);
  const { status, body } = await send(fixture, {
    path: `${pathname}?api-version=2023-01-01-preview&$filter=${encodeURIComponent(filter)}${more}`,
  });
  expect(status).toBe(200);
  return body as Page;
}

// The filter of karpenter's client for Azure.
const KARPENTER = (region: string): string =>
  `priceType eq 'Consumption' and currencyCode eq 'USD' and serviceFamily eq 'Compute' and serviceName eq 'Virtual Machines' and armRegionName eq '${region}'`;

it("answers anybody, with the envelope and the members of the document (REST API: Azure Retail Prices)", async () => {
  const { Items, ...envelope } = await pricesOf(`${KARPENTER("westus3")} and armSkuName eq 'Standard_NC4as_T4_v3'`);

  expect(envelope).toEqual({
    ...{ BillingCurrency: "USD", CustomerEntityId: "Default", CustomerEntityType: "Retail" },
    ...{ NextPageLink: null, Count: 5 },
  });
  expect(
    Items.find(({ skuName, productName }) => skuName === "NC4as T4 v3" && !productName.endsWith(" Windows")),
  ).toMatchObject({
    ...{
      retailPrice: 0.526,
      unitPrice: 0.526,
      unitOfMeasure: "1 Hour",
      type: "Consumption",
      serviceName: "Virtual Machines",
    },
    ...{ armRegionName: "westus3", serviceFamily: "Compute", tierMinimumUnits: 0, isPrimaryMeterRegion: true },
  });
});

it("tells spot, low priority and Windows apart as the price list does (Azure/karpenter-provider-azure, pkg/providers/pricing)", async () => {
  const { Items } = await pricesOf(`${KARPENTER("westus3")} and armSkuName eq 'Standard_NC24ads_A100_v4'`);
  const linux = Items.filter(
    ({ productName, meterName }) => !productName.endsWith(" Windows") && !meterName.endsWith(" Low Priority"),
  );
  const spot = linux.filter(({ skuName }) => skuName.endsWith(" Spot"));
  const onDemand = linux.filter(({ skuName }) => !skuName.endsWith(" Spot"));

  expect([spot.length, onDemand.length]).toEqual([1, 1]);
  expect((spot[0]?.retailPrice ?? 0) / (onDemand[0]?.retailPrice ?? 1)).toBeCloseTo(0.12, 5);
});

it("has prices of their own for regions (REST API: Azure Retail Prices, armRegionName)", async () => {
  const priceIn = async (region: string) =>
    (await pricesOf(`armRegionName eq '${region}' and skuName eq 'NC6s v3'`)).Items[0]?.retailPrice ?? 0;

  expect((await priceIn("westus")) / (await priceIn("westus3"))).toBeCloseTo(1.3, 5);
});

it("leads on by NextPageLink, each meter once (REST API: Azure Retail Prices, pagination)", async () => {
  const seen: string[] = [];
  let pages = 0;
  let link: string | null =
    `${fixture.azure.pricesUrl}?$filter=${encodeURIComponent("serviceName eq 'Virtual Machines'")}`;
  while (link !== null) {
    const { pathname, search }: URL = new URL(link);
    const { body } = await send(fixture, { path: pathname + search });
    const page = body as Page;
    expect(page.Count).toBe(page.Items.length);
    seen.push(...page.Items.map(({ meterId }) => meterId));
    link = page.NextPageLink;
    pages += 1;
  }

  expect(pages).toBe(2);
  expect(new Set(seen).size).toBe(seen.length);
});

it("compares values with their case (docs: Retail Prices, API version 2021-10-01-preview and later)", async () => {
  expect((await pricesOf("serviceName eq 'virtual machines'")).Count).toBe(0);
});

it("understands contains, startswith, endswith, or and parentheses (REST API: Azure Retail Prices)", async () => {
  const { Items } = await pricesOf(
    "armRegionName eq 'westus3' and (contains(skuName, 'H100') or startswith(armSkuName, 'Standard_ND')) and endswith(skuName, 'Spot')",
  );

  expect(Items.length).toBeGreaterThan(0);
  expect(Items.every(({ armSkuName, skuName }) => /H100|_ND/.test(armSkuName) && skuName.endsWith(" Spot"))).toBe(true);
});

it("answers in another currency (REST API: Azure Retail Prices, currencyCode)", async () => {
  const filter = "armRegionName eq 'westus3' and skuName eq 'NC4as T4 v3'";
  const euro = await pricesOf(filter, "&currencyCode='EUR'");

  expect([euro.BillingCurrency, euro.Items[0]?.currencyCode, euro.Items[0]?.retailPrice]).toEqual([
    "EUR",
    "EUR",
    0.4734,
  ]);
});

it.each([
  "$filter=armRegionName%20eq%20westus3",
  "$filter=colour%20eq%20%27red%27",
  "$filter=(armRegionName%20eq%20%27x%27",
  "$filter=%28%28%28%28%28%28%28%28%28%28%28%28%28%28%28%28%28%28a",
  "$skip=-1",
  "$skip=abc",
  "currencyCode=XXX",
])("refuses %s with 400 and the service's own body (REST API: Azure Retail Prices)", async (query) => {
  const { status, body } = await send(fixture, { path: `/api/retail/prices?${query}` });

  expect(status).toBe(400);
  expect(body).toMatchObject({ Error: { Code: "BadRequest", Message: expect.any(String) as string } });
});

it("fails when the fault plan says so, and then works again (docs: Retry pattern)", async () => {
  fixture.faults.arm({
    ...{ service: "retail-prices", stage: "before", skip: 0, times: 1 },
    action: { kind: "fail", status: 503, code: "ServiceUnavailable", message: "come again" },
  });
  const { status, body } = await send(fixture, { path: "/api/retail/prices" });

  expect([status, (body as { Error: { Code: string } }).Error.Code]).toEqual([503, "ServiceUnavailable"]);
  expect((await pricesOf("armRegionName eq 'westus3'")).Count).toBeGreaterThan(50);
});

it("reads any text as a filter or refuses it, and never throws (docs: OData, $filter)", () => {
  const part = fc.oneof(
    fc.constantFrom("armRegionName", "eq", "and", "or", "(", ")", ",", "'x'", "contains", "not"),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const test = parsePriceFilter(parts.join(" "));
      if (test) expect(typeof test({ armRegionName: "x" })).toBe("boolean");
    }),
    { numRuns: 1_000 },
  );
});
