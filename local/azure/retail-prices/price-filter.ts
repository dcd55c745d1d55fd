/** A meter as the filter sees it: texts by the names of the API. */
export type PriceFacts = Readonly<Record<string, unknown>>;

export type PriceTest = (row: PriceFacts) => boolean;

/** Names that a filter may use: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices */
const FIELDS: ReadonlySet<string> = new Set([
  ...["armRegionName", "location", "meterId", "meterName", "productId", "skuId", "productName", "skuName"],
  ...["serviceName", "serviceId", "serviceFamily", "priceType", "armSkuName", "currencyCode", "isPrimaryMeterRegion"],
]);
const TOKEN = /\s*(?:'((?:[^']|'')*)'|([A-Za-z]+)|([(),]))/y;
const MAX_DEPTH = 16;

interface Token {
  readonly kind: "text" | "word" | "mark";
  readonly text: string;
}

/** Reads `a eq 'x' and (b ne 'y' or contains(c, 'z'))`; undefined for what is no filter. Values are compared with their case. */
export function parsePriceFilter(text: string): PriceTest | undefined {
  const tokens = tokensOf(text);
  if (!tokens) return undefined;
  const parser = new Parser(tokens);
  const test = parser.either(0);
  return parser.isAtEnd ? test : undefined;
}

function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const found = TOKEN.exec(trimmed);
    if (!found) return undefined;
    const [, literal, word, mark = ""] = found;
    if (literal !== undefined) tokens.push({ kind: "text", text: literal.replaceAll("''", "'") });
    else tokens.push(word === undefined ? { kind: "mark", text: mark } : { kind: "word", text: word });
  }
  return tokens;
}

const COMPARISONS: Readonly<Record<string, (given: string, wanted: string) => boolean>> = {
  eq: (given, wanted) => given === wanted,
  ne: (given, wanted) => given !== wanted,
};
const FUNCTIONS: Readonly<Record<string, (given: string, wanted: string) => boolean>> = {
  contains: (given, wanted) => given.includes(wanted),
  startswith: (given, wanted) => given.startsWith(wanted),
  endswith: (given, wanted) => given.endsWith(wanted),
};

function valueOf(row: PriceFacts, field: string): string {
  const value = row[field === "priceType" ? "type" : field];
  return typeof value === "string" || typeof value === "boolean" ? String(value) : "";
}

class Parser {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get isAtEnd(): boolean {
    return this.at === this.tokens.length;
  }

  either(depth: number): PriceTest | undefined {
    const tests = this.joined("or", () => this.joinedAnd(depth));
    return tests && ((row) => tests.some((test) => test(row)));
  }

  private joinedAnd(depth: number): PriceTest | undefined {
    const tests = this.joined("and", () => this.term(depth));
    return tests && ((row) => tests.every((test) => test(row)));
  }

  private joined(word: "and" | "or", next: () => PriceTest | undefined): PriceTest[] | undefined {
    const tests: PriceTest[] = [];
    do {
      const test = next();
      if (!test) return undefined;
      tests.push(test);
    } while (this.take("word", word));
    return tests;
  }

  private term(depth: number): PriceTest | undefined {
    if (depth > MAX_DEPTH) return undefined;
    if (this.take("mark", "(")) {
      const inner = this.either(depth + 1);
      return this.take("mark", ")") ? inner : undefined;
    }
    const name = this.next("word");
    if (name === undefined) return undefined;
    const call = FUNCTIONS[name.toLowerCase()];
    return call ? this.call(call) : this.comparison(name);
  }

  private call(compare: (given: string, wanted: string) => boolean): PriceTest | undefined {
    if (!this.take("mark", "(")) return undefined;
    const field = this.next("word");
    if (field === undefined || !FIELDS.has(field) || !this.take("mark", ",")) return undefined;
    const wanted = this.next("text");
    if (wanted === undefined || !this.take("mark", ")")) return undefined;
    return (row) => compare(valueOf(row, field), wanted);
  }

  private comparison(field: string): PriceTest | undefined {
    const compare = COMPARISONS[this.next("word") ?? ""];
    // `isPrimaryMeterRegion eq true` is the one comparison without quotes.
    const wanted = this.next("text") ?? (field === "isPrimaryMeterRegion" ? this.next("word") : undefined);
    if (!FIELDS.has(field) || !compare || wanted === undefined) return undefined;
    return (row) => compare(valueOf(row, field), wanted);
  }

  private take(kind: Token["kind"], text: string): boolean {
    const token = this.tokens[this.at];
    if (token?.kind !== kind || token.text !== text) return false;
    this.at += 1;
    return true;
  }

  private next(kind: Token["kind"]): string | undefined {
    const token = this.tokens[this.at];
    if (token?.kind !== kind) return undefined;
    this.at += 1;
    return token.text;
  }
}
