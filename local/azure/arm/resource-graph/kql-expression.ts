import { FUNCTIONS } from "./kql-functions";
import { textOf, type TokenCursor } from "./kql-tokens";
import { COMPARISONS, type KqlRow, memberOf, MEMBERSHIPS } from "./kql-values";

/** An expression, ready to be evaluated on a row; `name` is what its column is called unless it is given a name. */
export interface KqlExpression {
  readonly name: string;
  readonly evaluate: (row: KqlRow) => unknown;
}

const MAX_DEPTH = 32;
const SPAN_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const WORDS = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

const constant = (value: unknown): KqlExpression => ({ name: "Column1", evaluate: () => value });

/** `or` over `and` over comparisons, as deep as a person would write it. */
export function parseExpression(cursor: TokenCursor, depth = 0): KqlExpression {
  if (depth > MAX_DEPTH) throw cursor.refusal("the expression is nested too deeply");
  return joined(cursor, "or", () => joined(cursor, "and", () => parseComparison(cursor, depth)));
}

function joined(cursor: TokenCursor, word: "and" | "or", next: () => KqlExpression): KqlExpression {
  const first = next();
  if (!cursor.isAt(word)) return first;
  const parts = [first];
  while (cursor.take(word)) parts.push(next());
  const isTrue = (row: KqlRow) => (part: KqlExpression) => part.evaluate(row) === true;
  return { name: "Column1", evaluate: (row) => (word === "or" ? parts.some(isTrue(row)) : parts.every(isTrue(row))) };
}

function parseComparison(cursor: TokenCursor, depth: number): KqlExpression {
  const left = parseSum(cursor, depth);
  const operator = cursor.current.kind === "text" ? "" : cursor.current.text.toLowerCase();
  const compare = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
  if (compare) {
    cursor.next();
    const right = parseSum(cursor, depth);
    return { name: "Column1", evaluate: (row) => compare(left.evaluate(row), right.evaluate(row)) };
  }
  const isMember = Object.hasOwn(MEMBERSHIPS, operator) ? MEMBERSHIPS[operator] : undefined;
  if (!isMember) return left;
  cursor.next();
  const list = parseArguments(cursor, depth);
  return {
    name: "Column1",
    evaluate: (row) =>
      isMember(
        left.evaluate(row),
        list.flatMap((one) => one.evaluate(row)),
      ),
  };
}

/** Numbers and times, added and taken away. */
function parseSum(cursor: TokenCursor, depth: number): KqlExpression {
  let left = parseOperand(cursor, depth);
  while (cursor.isAt("+") || cursor.isAt("-")) {
    const sign = cursor.next().text === "+" ? 1 : -1;
    const [first, second] = [left, parseOperand(cursor, depth)];
    left = { name: "Column1", evaluate: (row) => sumOf(first.evaluate(row), second.evaluate(row), sign) };
  }
  return left;
}

function sumOf(left: unknown, right: unknown, sign: 1 | -1): unknown {
  if (left instanceof Date && typeof right === "number") return new Date(left.getTime() + sign * right);
  if (left instanceof Date && right instanceof Date && sign === -1) return left.getTime() - right.getTime();
  return typeof left === "number" && typeof right === "number" ? left + sign * right : undefined;
}

export function parseArguments(cursor: TokenCursor, depth: number): KqlExpression[] {
  cursor.expect("(");
  const found: KqlExpression[] = [];
  if (cursor.take(")")) return found;
  do found.push(parseExpression(cursor, depth + 1));
  while (cursor.take(","));
  cursor.expect(")");
  return found;
}

function parseOperand(cursor: TokenCursor, depth: number): KqlExpression {
  if (cursor.take("(")) {
    const inner = parseExpression(cursor, depth + 1);
    cursor.expect(")");
    return inner;
  }
  if (cursor.take("-")) {
    const inner = parseOperand(cursor, depth + 1);
    return { ...inner, evaluate: (row) => sumOf(0, inner.evaluate(row), -1) };
  }
  const { kind, text } = cursor.current;
  if (kind === "text") return constant(textOf(cursor.next().text));
  if (kind === "number") return constant(Number(cursor.next().text));
  if (kind === "span") return constant(spanMs(cursor.next().text));
  if (kind !== "name") throw cursor.refusal("an expression is expected");
  if (WORDS.has(text.toLowerCase())) {
    cursor.next();
    return constant(WORDS.get(text.toLowerCase()));
  }
  return parseName(cursor, depth);
}

const spanMs = (text: string): number => {
  const [, count = "0", unit = ""] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Number(count) * (SPAN_MS[unit] ?? 0);
};

/** A call, or a column with the members behind it: `properties.hardwareProfile.vmSize`, `tags['a b']`, `zones[0]`. */
function parseName(cursor: TokenCursor, depth: number): KqlExpression {
  const first = cursor.name();
  if (cursor.isAt("(")) {
    const run = Object.hasOwn(FUNCTIONS, first.toLowerCase()) ? FUNCTIONS[first.toLowerCase()] : undefined;
    if (!run) throw cursor.refusal(`there is no function '${first}'`);
    const args = parseArguments(cursor, depth);
    return { name: args[0]?.name ?? "Column1", evaluate: (row) => run(args.map((one) => one.evaluate(row))) };
  }
  const path: string[] = [first];
  for (;;) {
    if (cursor.take(".")) path.push(cursor.name());
    else if (cursor.take("[")) {
      const { kind, text } = cursor.next();
      if (kind !== "text" && kind !== "number") throw cursor.refusal("a name or a number is expected");
      path.push(kind === "text" ? textOf(text) : text);
      cursor.expect("]");
    } else break;
  }
  return {
    name: path.join("_"),
    evaluate: (row) => path.reduce<unknown>((value, member) => memberOf(value, member), row),
  };
}
