/** What ARM reads of OData's `$filter`: comparisons and two functions, joined by `and` and `or`, in parentheses or not. */
export type FilterExpression =
  { readonly kind: "and" | "or"; readonly parts: readonly FilterExpression[] } | FilterTerm;

export interface FilterTerm {
  readonly kind: "eq" | "ne" | "substringof" | "startswith";
  /** In lower case. */
  readonly property: string;
  readonly value: string;
}

// A filter nests no deeper than a person would write it.
const MAX_DEPTH = 16;

const TOKEN = /\s*(?:'((?:[^']|'')*)'|([A-Za-z][A-Za-z/]*)|([(),]))\s*/y;

type Token = { readonly text: string } | { readonly word: string } | { readonly mark: string };

/** `undefined` for a text that is no filter. */
export function parseFilter(text: string): FilterExpression | undefined {
  const tokens = tokensOf(text);
  if (!tokens) return undefined;
  const parser = new FilterParser(tokens);
  const expression = parser.expression(0);
  return parser.isAtEnd ? expression : undefined;
}

function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text);
    if (!found) return undefined;
    const [, literal, word, mark = ""] = found;
    if (literal !== undefined) tokens.push({ text: literal.replaceAll("''", "'") });
    else tokens.push(word === undefined ? { mark } : { word: word.toLowerCase() });
  }
  return tokens;
}

class FilterParser {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get isAtEnd(): boolean {
    return this.at === this.tokens.length;
  }

  expression(depth: number): FilterExpression | undefined {
    return this.joined("or", () => this.joined("and", () => this.term(depth)));
  }

  private joined(kind: "and" | "or", next: () => FilterExpression | undefined): FilterExpression | undefined {
    const parts: FilterExpression[] = [];
    do {
      const part = next();
      if (!part) return undefined;
      parts.push(part);
    } while (this.take("word", kind));
    return parts.length === 1 ? parts[0] : { kind, parts };
  }

  private term(depth: number): FilterExpression | undefined {
    if (depth > MAX_DEPTH) return undefined;
    if (this.take("mark", "(")) {
      const inner = this.expression(depth + 1);
      return this.take("mark", ")") ? inner : undefined;
    }
    const name = this.next("word");
    if (name === "substringof" || name === "startswith") return this.call(name);
    const kind = this.next("word");
    const value = this.next("text");
    if (name === undefined || value === undefined || (kind !== "eq" && kind !== "ne")) return undefined;
    return { kind, property: name, value };
  }

  /** `substringof('x', name)`, but `startswith(tagName, 'x')`. */
  private call(kind: "substringof" | "startswith"): FilterExpression | undefined {
    if (!this.take("mark", "(")) return undefined;
    const first = this.next(kind === "substringof" ? "text" : "word");
    if (!this.take("mark", ",")) return undefined;
    const second = this.next(kind === "substringof" ? "word" : "text");
    if (!this.take("mark", ")") || first === undefined || second === undefined) return undefined;
    return kind === "substringof" ? { kind, property: second, value: first } : { kind, property: first, value: second };
  }

  private take(kind: "word" | "mark", wanted: string): boolean {
    if (this.peek(kind) !== wanted) return false;
    this.at += 1;
    return true;
  }

  private next(kind: "text" | "word"): string | undefined {
    const found = this.peek(kind);
    if (found !== undefined) this.at += 1;
    return found;
  }

  private peek(kind: "text" | "word" | "mark"): string | undefined {
    const token = this.tokens[this.at];
    return token && Object.entries(token).find(([name]) => name === kind)?.[1];
  }
}
