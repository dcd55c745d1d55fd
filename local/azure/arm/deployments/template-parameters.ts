import { isEqual, isList, isMap, type Json, kindOf, textOf } from "./json-value";
import type { ParameterDeclaration, Template } from "./template";
import { TemplateError } from "./template-error";

/** Parameters as a deployment's request gives them: `{ "name": { "value": … } }`. */
export type GivenParameters = Readonly<
  Record<string, { readonly value?: Json | undefined; readonly reference?: unknown }>
>;

/** Looks up parameters; defaults are evaluated when somebody asks, since they may ask for other parameters. */
export class Parameters {
  private readonly known = new Map<string, Json>();
  private readonly asking = new Set<string>();

  constructor(
    private readonly template: Template,
    private readonly given: GivenParameters,
    private readonly evaluateDefault: (value: Json) => Json,
  ) {
    const names = Object.keys(template.parameters);
    const strange = Object.keys(given).find((name) => declarationOf(template, name) === undefined);
    if (strange !== undefined)
      throw new TemplateError(
        `The template parameters '${strange}' in the parameters file are not valid; they are not present in the original template and can therefore not be provided at deployment time. The only supported parameters for this template are '${names.join(", ")}'. Please see https://aka.ms/arm-pass-parameter-values for usage details.`,
      );
  }

  /** Asks for each once, so that what is wrong with them is said before anything is done. */
  check(): void {
    for (const name of Object.keys(this.template.parameters)) this.value(name);
  }

  value(name: string): Json {
    const found = declarationOf(this.template, name);
    if (!found)
      throw new TemplateError(
        `The template parameter '${name}' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.`,
      );
    const [declared, declaration] = found;
    const known = this.known.get(declared);
    if (known !== undefined) return known;
    const value = this.bind(declared, declaration);
    checkValue(declared, declaration, value);
    this.known.set(declared, value);
    return value;
  }

  private bind(name: string, { defaultValue, nullable }: ParameterDeclaration): Json {
    const key = Object.keys(this.given).find((one) => one.toLowerCase() === name.toLowerCase());
    const given = key === undefined ? undefined : this.given[key];
    if (given?.reference !== undefined)
      throw new TemplateError(
        `The template parameter '${name}' refers to a key vault, which the simulator does not have.`,
      );
    if (given?.value !== undefined) return given.value;
    if (defaultValue === undefined && nullable) return null;
    if (defaultValue === undefined)
      throw new TemplateError(
        `The value for the template parameter '${name}' at line '1' and column '1' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.`,
      );
    if (this.asking.has(name)) throw new TemplateError(`The template parameter '${name}' refers to itself.`);
    this.asking.add(name);
    const value = this.evaluateDefault(defaultValue);
    this.asking.delete(name);
    return value;
  }
}

function declarationOf(template: Template, name: string): readonly [string, ParameterDeclaration] | undefined {
  return Object.entries(template.parameters).find(([one]) => one.toLowerCase() === name.toLowerCase());
}

export const isSecure = (type: string): boolean => type.toLowerCase().startsWith("secure");

const WORDS: Readonly<Record<string, string>> = {
  string: "String",
  securestring: "SecureString",
  int: "Int",
  bool: "Bool",
  object: "Object",
  secureobject: "SecureObject",
  array: "Array",
};

/** As Azure spells a type in its answers. */
export const typeWord = (type: string): string => WORDS[type.toLowerCase()] ?? type;

const MATCHES: Readonly<Record<string, (value: Json) => boolean>> = {
  string: (value) => typeof value === "string",
  int: (value) => typeof value === "number" && Number.isInteger(value),
  bool: (value) => typeof value === "boolean",
  object: isMap,
  array: isList,
};

const EXPECTED: Readonly<Record<string, string>> = {
  string: "String, Uri",
  int: "Integer",
  bool: "Boolean",
  object: "Object",
  array: "Array",
};

export function matchesType(type: string, value: Json): boolean {
  return MATCHES[type.toLowerCase().replace("secure", "")]?.(value) ?? true;
}

function checkValue(name: string, declaration: ParameterDeclaration, value: Json): void {
  const { type, allowedValues, nullable } = declaration;
  if (value === null && nullable) return;
  if (!matchesType(type, value))
    throw new TemplateError(
      `Template parameter JToken type is not valid. Expected '${EXPECTED[type.toLowerCase().replace("secure", "")] ?? type}'. Actual '${kindOf(value)}'. The template parameter is '${name}'. Please see https://aka.ms/arm-create-parameter-file for usage details.`,
    );
  const isAllowed = (one: Json): boolean => (allowedValues ?? []).some((allowed) => isEqual(allowed, one));
  const isListed = isList(value) ? value.every(isAllowed) || isAllowed(value) : isAllowed(value);
  if (allowedValues && !isListed)
    throw new TemplateError(
      `The provided value for the template parameter '${name}' is not valid. The value '${shown(declaration, value)}' is not part of the allowed value(s): '${allowedValues.map((one) => shown(declaration, one)).join(",")}'.`,
    );
  checkBounds(name, declaration, value);
}

/** A secret is not told in an error either. */
const shown = ({ type }: ParameterDeclaration, value: Json): string => (isSecure(type) ? "***" : textOf(value));

function checkBounds(name: string, declaration: ParameterDeclaration, value: Json): void {
  const { minValue, maxValue, minLength, maxLength } = declaration;
  const size = typeof value === "string" || isList(value) ? value.length : undefined;
  const bounds = [
    { given: value, least: minValue, most: maxValue, what: "value" },
    { given: size, least: minLength, most: maxLength, what: "length" },
  ];
  for (const { given, least, most, what } of bounds) {
    if (typeof given !== "number") continue;
    if (least !== undefined && given < least)
      throw new TemplateError(
        `The provided value for the template parameter '${name}' is not valid. The ${what} '${given}' is less than the minimum ${what} '${least}'.`,
      );
    if (most !== undefined && given > most)
      throw new TemplateError(
        `The provided value for the template parameter '${name}' is not valid. The ${what} '${given}' is greater than the maximum ${what} '${most}'.`,
      );
  }
}

/** The value that a deployment shows for a parameter or an output: a secret is named and not shown. */
export const shownValue = (type: string, value: Json): { readonly type: string; readonly value?: Json } =>
  isSecure(type) ? { type: typeWord(type) } : { type: typeWord(type), value };
