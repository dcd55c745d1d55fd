/** A query that is none, with the place where it goes wrong: Resource Graph answers both. */
export class KqlError extends Error {
  override readonly name = "KqlError";

  constructor(
    message: string,
    readonly token: string,
    readonly position: number,
  ) {
    super(message);
  }
}

export interface KqlToken {
  readonly kind: "name" | "text" | "number" | "span" | "mark" | "end";
  readonly text: string;
  readonly position: number;
}

const PATTERNS: readonly (readonly [KqlToken["kind"] | "space", RegExp])[] = [
  ["space", /(?:\s+|\/\/[^\n]*)/y],
  ["span", /\d+(?:\.\d+)?(?:ms|d|h|m|s)\b/y],
  ["number", /\d+(?:\.\d+)?/y],
  ["text", /@?'(?:[^'\\]|\\.)*'|@?"(?:[^"\\]|\\.)*"/y],
  ["mark", /==|=~|!=|!~|<=|>=|![a-z]+~?|in~|[|(),=<>.[\]+\-*]/y],
  ["name", /[A-Za-z_][\w-]*/y],
];

// A time may stand without quotes.
const BARE_TIME = /\bdatetime\(\s*(\d[\d:.TZ+-]*)\s*\)/gi;

export function kqlTokens(given: string): KqlToken[] {
  const query = given.replaceAll(BARE_TIME, "datetime('$1')");
  const tokens: KqlToken[] = [];
  let position = 0;
  while (position < query.length) {
    const found = match(query, position);
    if (!found) throw new KqlError("The query has a character that is not expected", query[position] ?? "", position);
    if (found.kind !== "space") tokens.push({ kind: found.kind, text: found.text, position });
    position += found.text.length;
  }
  tokens.push({ kind: "end", text: "<EOF>", position });
  return tokens;
}

function match(query: string, position: number): { kind: KqlToken["kind"] | "space"; text: string } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = position;
    const text = pattern.exec(query)?.[0];
    // Names of operators have a hyphen (`project-away`); in an expression it stands between operands.
    if (text !== undefined) return { kind, text };
  }
  return undefined;
}

/** What a literal stands for: `@'…'` takes a backslash as it is. */
export function textOf(literal: string): string {
  if (literal.startsWith("@")) return literal.slice(2, -1);
  return literal.slice(1, -1).replaceAll(/\\(.)/g, (_all, char: string) => ({ n: "\n", t: "\t" })[char] ?? char);
}

/** A walk over tokens that knows where it is. */
export class TokenCursor {
  private at = 0;

  constructor(private readonly tokens: readonly KqlToken[]) {}

  get current(): KqlToken {
    // The last token is the end, and nobody steps over it.
    return this.tokens[Math.min(this.at, this.tokens.length - 1)] as KqlToken;
  }

  isAt(text: string): boolean {
    const { kind, text: found } = this.current;
    return kind !== "text" && found.toLowerCase() === text;
  }

  take(text: string): boolean {
    if (!this.isAt(text)) return false;
    this.at += 1;
    return true;
  }

  next(): KqlToken {
    const token = this.current;
    this.at += 1;
    return token;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.refusal(`'${text}' is expected`);
  }

  name(): string {
    const { kind, text } = this.current;
    if (kind !== "name") throw this.refusal("a name is expected");
    this.at += 1;
    return text;
  }

  refusal(message: string): KqlError {
    return new KqlError(message, this.current.text, this.current.position);
  }
}
