import { operatorNamed } from "./condition-operators";
import {
  type AttributeReference,
  type AttributeSource,
  type Condition,
  type LiteralValues,
  type Operand,
  QUANTIFIERS,
  type Quantifier,
} from "./condition-syntax";

/** What is wrong with a condition, and where. */
export class ConditionSyntaxError extends Error {
  override readonly name = "ConditionSyntaxError";
}

const SOURCES: readonly AttributeSource[] = ["Request", "Resource", "Principal", "Environment"];
// Azure takes 8 kilobytes; what is nested deeper than this would not fit, or is no honest condition.
const MAX_LENGTH = 8 * 1024;
const MAX_DEPTH = 100;

const TOKEN = /\s+|'(?:[^']|'')*'|@[A-Za-z]+\[[^\]]*\]|&&|\|\||[(){},!:]|[A-Za-z0-9_.$*/-]+/y;

/** Reads a condition of a role assignment, or throws. The grammar: https://learn.microsoft.com/azure/role-based-access-control/conditions-format */
export function parseCondition(text: string): Condition {
  if (text.length > MAX_LENGTH) throw new ConditionSyntaxError(`It is longer than ${MAX_LENGTH} characters.`);
  const parser = new Parser(tokensOf(text));
  const condition = parser.either(0);
  parser.expectEnd();
  return condition;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const token = pattern.exec(text)?.[0];
    if (token === undefined) throw new ConditionSyntaxError(`Nothing can begin with '${text.slice(at, at + 10)}'.`);
    if (token.trim() !== "") tokens.push(token);
  }
  return tokens;
}

class Parser {
  private at = 0;

  constructor(private readonly tokens: readonly string[]) {}

  either(depth: number): Condition {
    if (depth > MAX_DEPTH) throw new ConditionSyntaxError("It is nested too deeply.");
    let left = this.both(depth);
    while (this.takes("OR", "||")) left = { kind: "or", left, right: this.both(depth) };
    return left;
  }

  expectEnd(): void {
    if (this.at < this.tokens.length) throw this.unexpected();
  }

  private both(depth: number): Condition {
    let left = this.one(depth);
    while (this.takes("AND", "&&")) left = { kind: "and", left, right: this.one(depth) };
    return left;
  }

  private one(depth: number): Condition {
    if (this.takes("NOT", "!")) {
      if (depth > MAX_DEPTH) throw new ConditionSyntaxError("It is nested too deeply.");
      return { kind: "not", of: this.one(depth + 1) };
    }
    if (this.takes("(")) {
      const inner = this.either(depth + 1);
      this.expect(")");
      return inner;
    }
    if (this.takes("ActionMatches")) return { kind: "action", pattern: this.pattern() };
    if (this.takes("SubOperationMatches")) return { kind: "suboperation", pattern: this.pattern() };
    if (this.takes("Exists")) return { kind: "exists", attribute: this.attribute() };
    return this.comparison();
  }

  private pattern(): string {
    this.expect("{");
    const pattern = this.text();
    this.expect("}");
    return pattern;
  }

  private comparison(): Condition {
    const left = this.attribute();
    const quantifier = this.quantifier();
    const name = this.next();
    const operator = operatorNamed(name);
    if (!operator) throw new ConditionSyntaxError(`There is no operator '${name}'.`);
    const right = this.operand();
    if (right.kind === "values" && right.isSet && !quantifier)
      throw new ConditionSyntaxError(`'${operator}' takes one value; several need ForAnyOfAnyValues or its like.`);
    return { kind: "comparison", left, ...(quantifier ? { quantifier } : {}), operator, right };
  }

  private quantifier(): Quantifier | undefined {
    const found = QUANTIFIERS.find((one) => one.toLowerCase() === this.peek().toLowerCase());
    if (!found) return undefined;
    this.next();
    this.expect(":");
    return found;
  }

  private operand(): Operand {
    if (this.peek().startsWith("@")) return this.attribute();
    if (!this.takes("{")) return { kind: "values", values: [this.text()], isSet: false };
    return this.set();
  }

  private set(): LiteralValues {
    const values = [this.text()];
    while (this.takes(",")) values.push(this.text());
    this.expect("}");
    return { kind: "values", values, isSet: true };
  }

  private attribute(): AttributeReference {
    const token = this.next();
    const [, given = "", name = ""] = /^@([A-Za-z]+)\[([^\]]+)\]$/.exec(token) ?? [];
    const source = SOURCES.find((one) => one.toLowerCase() === given.toLowerCase());
    if (!source || name.trim() === "") throw new ConditionSyntaxError(`'${token}' is no attribute.`);
    return { kind: "attribute", source, name: name.trim() };
  }

  /** A string in quotes, or a GUID, number or truth value without them. */
  private text(): string {
    const token = this.next();
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (/^[A-Za-z0-9_.-]+$/.test(token)) return token;
    throw new ConditionSyntaxError(`'${token}' is no value.`);
  }

  private peek(): string {
    return this.tokens[this.at] ?? "";
  }

  private next(): string {
    if (this.at >= this.tokens.length) throw this.unexpected();
    const token = this.peek();
    this.at += 1;
    return token;
  }

  private takes(...wanted: readonly string[]): boolean {
    const isIt = wanted.some((one) => one.toLowerCase() === this.peek().toLowerCase());
    if (isIt) this.at += 1;
    return isIt;
  }

  private expect(wanted: string): void {
    if (!this.takes(wanted)) throw this.unexpected(wanted);
  }

  private unexpected(wanted?: string): ConditionSyntaxError {
    const found = this.tokens[this.at];
    const what = found === undefined ? "It ends too early" : `'${found}' cannot stand there`;
    return new ConditionSyntaxError(wanted ? `${what}; '${wanted}' is missing.` : `${what}.`);
  }
}
