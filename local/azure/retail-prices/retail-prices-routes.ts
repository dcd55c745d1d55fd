import type { FaultPlan } from "../../faults/fault-plan";
import { answerWithFaults } from "../http/answer-with-faults";
import type { WireHandler, WireReply, WireRequest } from "../http/wire";
import { type Meter, metersOf } from "./meters";
import { parsePriceFilter } from "./price-filter";

export interface RetailPricesOptions {
  readonly locations: readonly string[];
  readonly coresOf: (size: string) => number;
  readonly faults: FaultPlan;
  /** Where the next page is asked for: `https://localhost:<port>`. */
  readonly origin: () => string;
}

export const RETAIL_PRICES_PATH = "/api/retail/prices";

/** https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices: 1,000 rows a page since 2023. */
const PAGE_SIZE = 1000;
const MOST_SKIPPED = 1_000_000;
/** Units of the currency for a dollar, fixed, so that a test can tell that it was asked for. */
const CURRENCIES: Readonly<Record<string, number>> = { USD: 1, EUR: 0.9, GBP: 0.8 };

/** The price list, for anyone: no token is asked for. */
export function createRetailPrices(options: RetailPricesOptions): WireHandler {
  const meters = options.locations.flatMap((region) => metersOf(region, options.coresOf));
  return (request) =>
    answerWithFaults({
      faults: options.faults,
      call: { service: "retail-prices", operation: `${request.method} prices`, subject: request.path },
      answer: () => Promise.resolve(answer(options, meters, request)),
      refuse: ({ status, code, message }) => refusal(status, code, message),
    });
}

function answer(options: RetailPricesOptions, meters: readonly Meter[], { method, query }: WireRequest): WireReply {
  if (method !== "GET") return refusal(405, "MethodNotAllowed", "The price list is read with GET.");
  const currency = (query.get("currencyCode") ?? "USD").replaceAll("'", "").toUpperCase();
  const rate = CURRENCIES[currency];
  if (rate === undefined) return refusal(400, "BadRequest", `The currency code '${currency}' is not supported.`);
  const skipped = Number(query.get("$skip") ?? 0);
  if (!Number.isInteger(skipped) || skipped < 0 || skipped > MOST_SKIPPED)
    return refusal(400, "BadRequest", "The value of $skip is not valid.");
  const filter = query.get("$filter") ?? "";
  const test = filter.trim() === "" ? () => true : parsePriceFilter(filter);
  if (!test) return refusal(400, "BadRequest", `Invalid OData parameters supplied: '${filter.slice(0, 200)}'.`);
  const found = meters.map((meter) => inCurrency(meter, currency, rate)).filter((meter) => test({ ...meter }));
  const Items = found.slice(skipped, skipped + PAGE_SIZE);
  const isMore = found.length > skipped + PAGE_SIZE;
  const body = {
    BillingCurrency: currency,
    CustomerEntityId: "Default",
    CustomerEntityType: "Retail",
    Items,
    NextPageLink: isMore ? nextPage(options.origin(), query, skipped + PAGE_SIZE) : null,
    Count: Items.length,
  };
  return { status: 200, body };
}

function inCurrency(meter: Meter, currencyCode: string, rate: number): Meter {
  if (rate === 1) return meter;
  const price = Number((meter.retailPrice * rate).toFixed(6));
  return { ...meter, currencyCode, retailPrice: price, unitPrice: price };
}

function nextPage(origin: string, query: URLSearchParams, skip: number): string {
  const next = new URLSearchParams(query);
  next.set("$skip", String(skip));
  return `${origin}${RETAIL_PRICES_PATH}?${next.toString().replaceAll("+", "%20")}`;
}

const refusal = (status: number, Code: string, Message: string): WireReply => ({
  status,
  body: { Error: { Code, Message } },
});
