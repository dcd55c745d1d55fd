import type { Json } from "./json-value";
import { TemplateError } from "./template-error";

export type Expression =
  | { readonly kind: "literal"; readonly value: Json }
  | { readonly kind: "call"; readonly name: string; readonly given: readonly Expression[]; readonly column: number }
  | { readonly kind: "member"; readonly of: Expression; readonly name: string }
  | { readonly kind: "index"; readonly of: Expression; readonly index: Expression };

/** `[…]` is an expression; `[[…]` is a text that begins with a bracket. */
export const isExpression = (text: string): boolean =>
  text.startsWith("[") && text.endsWith("]") && !text.startsWith("[[");

/** The text that a literal stands for. */
export const unescapeLiteral = (text: string): string => (text.startsWith("[[") ? text.slice(1) : text);

/** The literal that stands for a text. */
export const escapeLiteral = (text: string): string => (text.startsWith("[") ? `[${text}` : text);

// An expression may have 24,576 characters; how deep it may be nested Azure does not say.
const MAX_LENGTH = 24_576;
const MAX_DEPTH = 100;

/** Reads `[concat('a', parameters('b'))]`: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH)
    throw new TemplateError(
      `The language expression length limit exceeded. Limit: '${MAX_LENGTH}' and actual: '${text.length}'.`,
    );
  const reader = new Reader(text);
  const expression = reader.expression(0);
  reader.end();
  return expression;
}

const NAME = /[a-z_][a-z0-9_]*/iy;
const NUMBER = /-?\d+(\.\d+)?/y;
const STRING = /'(?:[^']|'')*'/y;
const SPACE = /\s*/y;

class Reader {
  private at = 1;

  constructor(private readonly text: string) {}

  expression(depth: number): Expression {
    if (depth > MAX_DEPTH) throw new TemplateError(`The language expression is nested deeper than ${MAX_DEPTH}.`);
    let read = this.primary(depth);
    for (;;) {
      if (this.takes(".")) read = { kind: "member", of: read, name: this.name() };
      else if (this.takes("[")) {
        read = { kind: "index", of: read, index: this.expression(depth + 1) };
        this.expect("]");
      } else return read;
    }
  }

  end(): void {
    this.expect("]");
    if (this.at !== this.text.length) throw this.broken();
  }

  private primary(depth: number): Expression {
    this.take(SPACE);
    const column = this.at;
    const text = this.take(STRING);
    if (text !== undefined) return { kind: "literal", value: text.slice(1, -1).replaceAll("''", "'") };
    const number = this.take(NUMBER);
    if (number !== undefined) return { kind: "literal", value: Number(number) };
    const name = this.name();
    // `contoso.unique(…)` is a function that the template itself defines.
    const inner = this.takes(".") ? `.${this.name()}` : "";
    return { kind: "call", name: `${name}${inner}`, given: this.given(depth), column };
  }

  private given(depth: number): readonly Expression[] {
    this.expect("(");
    const given: Expression[] = [];
    if (this.takes(")")) return given;
    do given.push(this.expression(depth + 1));
    while (this.takes(","));
    this.expect(")");
    return given;
  }

  private name(): string {
    this.take(SPACE);
    const name = this.take(NAME);
    if (name === undefined) throw this.broken();
    return name;
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private takes(mark: string): boolean {
    this.take(SPACE);
    if (this.text[this.at] !== mark) return false;
    this.at += 1;
    return true;
  }

  private expect(mark: string): void {
    if (!this.takes(mark)) throw this.broken();
  }

  private broken(): TemplateError {
    return new TemplateError(
      `Unable to parse language expression '${this.text.slice(1, -1)}': unexpected ${this.at >= this.text.length ? "end" : `'${this.text[this.at] ?? ""}'`} at position ${this.at}.`,
    );
  }
}
