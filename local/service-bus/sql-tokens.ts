/** An expression that is no SQL of Service Bus, or uses a part of it that is not built in; says which. */
export class SqlError extends Error {
  override readonly name = "SqlError";
}

export interface Token {
  readonly kind: "word" | "name" | "string" | "number" | "sign" | "end";
  readonly text: string;
}

const patterns: readonly (readonly [Token["kind"] | "space", RegExp])[] = [
  ["space", /\s+/y],
  ["string", /'(?:[^']|'')*'/y],
  ["name", /"(?:[^"]|"")*"|\[(?:[^\]]|\]\])*\]/y],
  ["number", /(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy],
  ["word", /[a-z_][\w$]*/iy],
  ["sign", /<>|!=|<=|>=|[-=<>()+*/%,.@]/y],
];

/** The longest expression that Service Bus takes. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas */
const longestExpression = 1024;

export function tokensOf(expression: string): Token[] {
  if (expression.length > longestExpression)
    throw new SqlError(`The expression has ${expression.length} characters, at most ${longestExpression} are allowed.`);
  const tokens: Token[] = [];
  for (let at = 0; at < expression.length;) {
    const { kind, text } = nextToken(expression, at);
    at += text.length;
    if (kind !== "space") tokens.push({ kind, text: kind === "string" || kind === "name" ? unquoted(text) : text });
  }
  return [...tokens, { kind: "end", text: "the end" }];
}

function nextToken(expression: string, at: number): { kind: Token["kind"] | "space"; text: string } {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const text = pattern.exec(expression)?.[0];
    if (text !== undefined) return { kind, text };
  }
  throw new SqlError(`There is an unexpected '${expression[at] ?? ""}' at position ${at + 1} of '${expression}'.`);
}

function unquoted(text: string): string {
  const close = text.at(-1) ?? "";
  return text.slice(1, -1).replaceAll(close + close, close);
}
