import type { FilteredMessage, FilterValue } from "./filtered-message";
import { SqlError, tokensOf, type Token } from "./sql-tokens";

/** Null stands for unknown: SQL's logic has three values. */
type Expression = (message: FilteredMessage) => FilterValue;

const systemNames = "MessageId, CorrelationId, To, ReplyTo, Label, SessionId, ReplyToSessionId, ContentType";
const knownSystemNames = new Set(systemNames.toLowerCase().split(", "));
const deepest = 32;

/**
 * Reads a SQL filter: AND, OR, NOT, comparisons, arithmetic, IS NULL, IN, LIKE, EXISTS, `sys.` and `user.` properties. Parameters
 * and functions are refused. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter
 */
export function parseSqlFilter(expression: string): (message: FilteredMessage) => boolean {
  const parser = new Parser(tokensOf(expression));
  const parsed = parser.whole();
  return (message) => parsed(message) === true;
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  whole(): Expression {
    const parsed = this.disjunction();
    if (this.peek().kind !== "end") throw this.unexpected();
    return parsed;
  }

  private disjunction(): Expression {
    let left = this.conjunction();
    while (this.takeWord("or")) left = or(left, this.conjunction());
    return left;
  }

  private conjunction(): Expression {
    let left = this.negation();
    while (this.takeWord("and")) left = and(left, this.negation());
    return left;
  }

  private negation(): Expression {
    if (!this.takeWord("not")) return this.comparison();
    const inner = this.nested(() => this.negation());
    return (message) => not(inner(message));
  }

  private comparison(): Expression {
    const left = this.sum();
    const compare = comparisons.get(this.peek().kind === "sign" ? this.peek().text : "");
    if (compare) {
      this.at += 1;
      const right = this.sum();
      return (message) => compared(left(message), right(message), compare);
    }
    if (this.takeWord("is")) {
      const negated = this.takeWord("not");
      this.expectWord("null");
      return (message) => (left(message) === null) !== negated;
    }
    const negated = this.takeWord("not");
    if (this.takeWord("in")) return this.membership(left, negated);
    if (this.takeWord("like")) return this.likeness(left, negated);
    if (negated) throw this.unexpected();
    return left;
  }

  private membership(left: Expression, negated: boolean): Expression {
    this.expectSign("(");
    const options = [this.sum()];
    while (this.takeSign(",")) options.push(this.sum());
    this.expectSign(")");
    return (message) => {
      const value = left(message);
      if (value === null) return null;
      return options.some((option) => option(message) === value) !== negated;
    };
  }

  private likeness(left: Expression, negated: boolean): Expression {
    const pattern = this.text("a pattern in quotes");
    const escape = this.takeWord("escape") ? this.text("an escape character in quotes") : undefined;
    const expected = likePattern(pattern, escape);
    return (message) => {
      const value = left(message);
      return typeof value === "string" ? expected.test(value) !== negated : null;
    };
  }

  private sum(): Expression {
    let left = this.product();
    for (;;) {
      if (this.takeSign("+")) left = calculated(left, this.product(), add);
      else if (this.takeSign("-")) left = calculated(left, this.product(), (a, b) => numeric(a, b, (x, y) => x - y));
      else return left;
    }
  }

  private product(): Expression {
    let left = this.factor();
    for (;;) {
      if (this.takeSign("*")) left = calculated(left, this.factor(), (a, b) => numeric(a, b, (x, y) => x * y));
      else if (this.takeSign("/")) left = calculated(left, this.factor(), (a, b) => numeric(a, b, (x, y) => x / y));
      else if (this.takeSign("%")) left = calculated(left, this.factor(), (a, b) => numeric(a, b, (x, y) => x % y));
      else return left;
    }
  }

  private factor(): Expression {
    if (this.takeSign("-")) {
      const inner = this.nested(() => this.factor());
      return (message) => numeric(0, inner(message), (_zero, value) => -value);
    }
    if (this.takeSign("(")) {
      const inner = this.nested(() => this.disjunction());
      this.expectSign(")");
      return inner;
    }
    const { kind, text } = this.peek();
    if (text === "@") throw new SqlError("Parameters (@name) are not built into this emulator's SQL filters.");
    this.at += 1;
    if (kind === "string") return () => text;
    if (kind === "number") return () => Number(text);
    if (kind === "word") return this.keywordOrProperty(text);
    if (kind === "name") return this.property(text);
    this.at -= 1;
    throw this.unexpected();
  }

  private keywordOrProperty(word: string): Expression {
    switch (word.toLowerCase()) {
      case "true":
        return () => true;
      case "false":
        return () => false;
      case "null":
        return () => null;
      case "exists": {
        this.expectSign("(");
        const property = this.property(this.name());
        this.expectSign(")");
        return (message) => property(message) !== null;
      }
      default:
        if (this.peek().text === "(") throw new SqlError(`The function ${word}() is not built into this emulator.`);
        return this.property(word);
    }
  }

  private property(first: string): Expression {
    if (!this.takeSign(".")) return userProperty(first);
    const name = this.name();
    if (first.toLowerCase() === "user") return userProperty(name);
    if (first.toLowerCase() !== "sys") throw new SqlError(`The scope '${first}' is unknown; allowed are sys and user.`);
    const key = name.toLowerCase();
    if (!knownSystemNames.has(key))
      throw new SqlError(`The system property '${name}' is unknown; allowed are ${systemNames}.`);
    return ({ system }) => system.get(key) ?? null;
  }

  private nested<T>(parse: () => T): T {
    this.depth += 1;
    if (this.depth > deepest) throw new SqlError(`The expression is nested more than ${deepest} times.`);
    const result = parse();
    this.depth -= 1;
    return result;
  }

  private name(): string {
    const { kind, text } = this.peek();
    if (kind !== "word" && kind !== "name") throw this.unexpected();
    this.at += 1;
    return text;
  }

  private text(what: string): string {
    const { kind, text } = this.peek();
    if (kind !== "string") throw new SqlError(`Expected ${what} instead of '${text}'.`);
    this.at += 1;
    return text;
  }

  private peek(): Token {
    return this.tokens[this.at] ?? { kind: "end", text: "the end" };
  }

  private takeWord(word: string): boolean {
    const { kind, text } = this.peek();
    const found = kind === "word" && text.toLowerCase() === word;
    if (found) this.at += 1;
    return found;
  }

  private takeSign(sign: string): boolean {
    const { kind, text } = this.peek();
    const found = kind === "sign" && text === sign;
    if (found) this.at += 1;
    return found;
  }

  private expectWord(word: string): void {
    if (!this.takeWord(word)) throw this.unexpected();
  }

  private expectSign(sign: string): void {
    if (!this.takeSign(sign)) throw this.unexpected();
  }

  private unexpected(): SqlError {
    return new SqlError(`Unexpected '${this.peek().text}' in the SQL expression.`);
  }
}

const comparisons = new Map<string, (order: number) => boolean>([
  ["=", (order) => order === 0],
  ["<>", (order) => order !== 0],
  ["!=", (order) => order !== 0],
  ["<", (order) => order < 0],
  ["<=", (order) => order <= 0],
  [">", (order) => order > 0],
  [">=", (order) => order >= 0],
]);

function compared(left: FilterValue, right: FilterValue, holds: (order: number) => boolean): FilterValue {
  // Values of different types cannot be compared: the outcome is unknown.
  if (left === null || right === null || typeof left !== typeof right) return null;
  if (left === right) return holds(0);
  return holds(left < right ? -1 : 1);
}

function userProperty(name: string): Expression {
  const wanted = name.toLowerCase();
  return ({ user }) => {
    const exact = user.get(name);
    if (exact !== undefined) return exact;
    for (const [key, value] of user) if (key.toLowerCase() === wanted) return value;
    return null;
  };
}

function or(left: Expression, right: Expression): Expression {
  return (message) => {
    const [a, b] = [left(message), right(message)];
    if (a === true || b === true) return true;
    return a === false && b === false ? false : null;
  };
}

function and(left: Expression, right: Expression): Expression {
  return (message) => {
    const [a, b] = [left(message), right(message)];
    if (a === false || b === false) return false;
    return a === true && b === true ? true : null;
  };
}

function not(value: FilterValue): FilterValue {
  return typeof value === "boolean" ? !value : null;
}

function calculated(left: Expression, right: Expression, calculate: typeof add): Expression {
  return (message) => calculate(left(message), right(message));
}

function add(left: FilterValue, right: FilterValue): FilterValue {
  if (typeof left === "string" && typeof right === "string") return left + right;
  return numeric(left, right, (a, b) => a + b);
}

function numeric(left: FilterValue, right: FilterValue, calculate: (a: number, b: number) => number): FilterValue {
  return typeof left === "number" && typeof right === "number" ? calculate(left, right) : null;
}

/** `%` stands for any text, `_` for one character. */
function likePattern(pattern: string, escape: string | undefined): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? "";
    if (character === escape) source += literal(pattern[(at += 1)] ?? "");
    else if (character === "%") source += "[^]*?";
    else source += character === "_" ? "[^]" : literal(character);
  }
  return new RegExp(`^${source}$`);
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
