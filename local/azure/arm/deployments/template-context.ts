import { randomUUID } from "node:crypto";
import type { Arguments, Scope, TemplateFunction } from "./evaluate";
import { evaluateDeep, type LoopPosition, type ScopeWithLoops } from "./evaluate-document";
import { LIST_FUNCTIONS } from "./functions-of-lists";
import { LOGIC_FUNCTIONS } from "./functions-of-logic";
import { copyIndexIn, type DeploymentFacts, referenced, resourceFunctions } from "./functions-of-resources";
import { TEXT_FUNCTIONS } from "./functions-of-text";
import { isMap, type Json, memberOf, textOf } from "./json-value";
import type { Template } from "./template";
import { ResourceWanted, TemplateError } from "./template-error";
import { type GivenParameters, Parameters } from "./template-parameters";

export interface TemplateContextParts {
  readonly template: Template;
  readonly given: GivenParameters;
  readonly facts: DeploymentFacts;
}

/** What `reference()` may name: a symbolic name, a name or an id of the template, or any other id. */
export type Resolve = (named: string) => { readonly id: string; readonly apiVersion: string | undefined } | undefined;

/** A template with its parameters and variables: in what its expressions are evaluated. */
export class TemplateContext {
  readonly parameters: Parameters;
  private readonly variables = new Map<string, Json>();
  private readonly asking = new Set<string>();
  private readonly functions: Readonly<Record<string, TemplateFunction>>;
  private readonly read = new Map<string, Json>();
  private resolve: Resolve = () => undefined;

  constructor(private readonly parts: TemplateContextParts) {
    const { template, given, facts } = parts;
    this.functions = {
      ...TEXT_FUNCTIONS,
      ...LIST_FUNCTIONS,
      ...LOGIC_FUNCTIONS,
      ...resourceFunctions(facts),
      parameters: (asked) => this.parameters.value(asked.text(0)),
      variables: (asked) => this.variable(asked.text(0)),
    };
    this.parameters = new Parameters(template, given, (value) => evaluateDeep(value, this.inDefaults));
  }

  /** Before anything runs: names, types, conditions, loops. No resource can be asked for. */
  readonly planning: ScopeWithLoops = (loops) =>
    this.scope(loops, {
      reference: (asked) => {
        throw new TemplateError(`The template function '${asked.name}' is not expected at this location.`);
      },
    });

  /** While it runs: resources may be asked for. */
  readonly running: ScopeWithLoops = (loops) => this.scope(loops, { reference: (asked) => this.reference(asked) });

  /** Two functions whose answers change are there in the defaults of parameters only. */
  private readonly inDefaults: ScopeWithLoops = (loops) =>
    this.scope(loops, {
      newguid: () => randomUUID(),
      utcnow: (asked) => utcNow(asked),
    });

  resolveWith(resolve: Resolve): void {
    this.resolve = resolve;
  }

  know(id: string, body: Json): void {
    this.read.set(id.toLowerCase(), body);
  }

  /** A resource was written: what was read of it before no longer holds. */
  forget(id: string): void {
    this.read.delete(id.toLowerCase());
  }

  private scope(loops: readonly LoopPosition[], more: Readonly<Record<string, TemplateFunction>>): Scope {
    const all = { ...this.functions, copyindex: copyIndexIn(loops), ...more };
    return { functions: new Map(Object.entries(all)), lambdaVariables: {} };
  }

  private reference(asked: Arguments): Json {
    const named = asked.text(0);
    const found = this.resolve(named) ?? (named.startsWith("/") ? { id: named, apiVersion: undefined } : undefined);
    if (!found) throw asked.wrong(`the resource '${named}' is not defined in the template`);
    const body = this.read.get(found.id.toLowerCase());
    const apiVersion = asked.has(1) && asked.value(1) !== null ? asked.text(1) : found.apiVersion;
    if (body === undefined) throw new ResourceWanted(found.id, apiVersion);
    return referenced(body, asked.has(2) && asked.text(2).toLowerCase() === "full");
  }

  private variable(name: string): Json {
    const known = this.variables.get(name.toLowerCase());
    if (known !== undefined) return known;
    const { variables } = this.parts.template;
    if (this.asking.has(name.toLowerCase()))
      throw new TemplateError(`The template variable '${name}' refers to itself.`);
    this.asking.add(name.toLowerCase());
    const value = this.declared(variables, name);
    this.asking.delete(name.toLowerCase());
    if (value === undefined)
      throw new TemplateError(
        `The template variable '${name}' is not found. Please see https://aka.ms/arm-syntax-variables for usage details.`,
      );
    this.variables.set(name.toLowerCase(), value);
    return value;
  }

  /** A variable by its name, or one that a `copy` of the variables makes. */
  private declared(variables: Template["variables"], name: string): Json | undefined {
    const found = memberOf(variables, name);
    if (found !== undefined) return evaluateDeep(found, this.planning);
    const loops = memberOf(variables, "copy");
    const loop = (Array.isArray(loops) ? loops : []).find(
      (one: Json) => isMap(one) && textOf(one["name"]).toLowerCase() === name.toLowerCase(),
    ) as Json | undefined;
    if (loop === undefined) return undefined;
    const made = evaluateDeep({ copy: [loop] }, this.planning);
    return isMap(made) ? memberOf(made, name) : undefined;
  }
}

function utcNow(asked: Arguments): string {
  const now = new Date().toISOString();
  if (!asked.has(0)) return now.replaceAll(/[-:]|\.\d+/g, "");
  const format = asked.text(0);
  if (format === "u") return now.replace("T", " ").replace(/\.\d+Z$/, "Z");
  if (format === "d") return now.slice(0, 10);
  throw asked.wrong(`the simulator does not have the format '${format}'`);
}
