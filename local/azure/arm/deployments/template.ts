import { z } from "zod";
import type { Json, JsonMap } from "./json-value";
import { isMap } from "./json-value";
import { TemplateError } from "./template-error";

const json = z.custom<Json>((value) => value !== undefined);
const map = z.custom<JsonMap>((value) => isMap(value), "an object is expected");

const Declaration = z.looseObject({
  type: z.string(),
  defaultValue: json.optional(),
  allowedValues: z.array(json).optional(),
  minValue: z.number().optional(),
  maxValue: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  nullable: z.boolean().optional(),
});
export type ParameterDeclaration = z.infer<typeof Declaration>;

const CopyLoop = z.strictObject({
  name: z.string().min(1),
  count: json,
  mode: z.string().optional(),
  batchSize: json.optional(),
});

const Output = z.looseObject({
  type: z.string(),
  value: json.optional(),
  condition: json.optional(),
  copy: z.strictObject({ count: json, input: json }).optional(),
});

const base = {
  type: z.string().min(1),
  apiVersion: z.string().optional(),
  name: z.string().min(1),
  dependsOn: z.array(z.string()).optional(),
  condition: json.optional(),
  scope: z.string().optional(),
  copy: CopyLoop.optional(),
  existing: z.boolean().optional(),
  subscriptionId: z.string().optional(),
  resourceGroup: z.string().optional(),
  properties: json.optional(),
};

const Resource = z.looseObject({
  ...base,
  get resources(): z.ZodOptional<z.ZodArray<z.ZodType<TemplateResource>>> {
    return z.array(Resource).optional();
  },
});

export interface TemplateResource {
  readonly type: string;
  readonly apiVersion?: string | undefined;
  readonly name: string;
  readonly dependsOn?: readonly string[] | undefined;
  readonly condition?: Json | undefined;
  readonly scope?: string | undefined;
  readonly copy?: z.infer<typeof CopyLoop> | undefined;
  readonly existing?: boolean | undefined;
  readonly subscriptionId?: string | undefined;
  readonly resourceGroup?: string | undefined;
  readonly properties?: Json | undefined;
  readonly resources?: readonly TemplateResource[] | undefined;
  readonly [member: string]: unknown;
}

const Template = z.strictObject({
  $schema: z.string().optional(),
  contentVersion: z.string().optional(),
  languageVersion: z.string().optional(),
  apiProfile: z.unknown().optional(),
  metadata: z.unknown().optional(),
  definitions: map.optional(),
  functions: z.array(z.unknown()).optional(),
  parameters: z.record(z.string(), Declaration).optional(),
  variables: map.optional(),
  resources: z.union([z.array(Resource), z.record(z.string(), Resource)]),
  outputs: z.record(z.string(), Output).optional(),
});

export interface Template {
  readonly parameters: Readonly<Record<string, ParameterDeclaration>>;
  readonly variables: JsonMap;
  readonly outputs: Readonly<Record<string, z.infer<typeof Output>>>;
  readonly resources: readonly NamedResource[];
}

/** A resource with its symbolic name, where the template gives one. */
export interface NamedResource {
  readonly symbolicName: string | undefined;
  readonly resource: TemplateResource;
}

/** Takes a template apart; throws for what is none, and for parts of the language that the simulator does not have. */
export function parseTemplate(given: unknown): Template {
  const parsed = Template.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new TemplateError(`The template is not valid at '${issue?.path.join(".") ?? ""}': ${issue?.message ?? ""}.`);
  }
  const { resources, functions = [], parameters = {}, variables = {}, outputs = {} } = parsed.data;
  if (functions.length > 0)
    throw new TemplateError("The simulator does not have functions that a template defines, at 'functions'.");
  for (const [name, { type }] of Object.entries(parameters)) requireType(name, type);
  const named = Array.isArray(resources)
    ? resources.map((resource) => ({ symbolicName: undefined, resource }))
    : Object.entries(resources).map(([symbolicName, resource]) => ({ symbolicName, resource }));
  return { parameters, variables, outputs, resources: named }; // as the schema has just said
}

const TYPES = ["string", "securestring", "int", "bool", "object", "secureobject", "array"];

function requireType(name: string, type: string): void {
  if (TYPES.includes(type.toLowerCase())) return;
  throw new TemplateError(
    `The template parameter '${name}' is not valid: its type '${type}' is none of '${TYPES.join(", ")}'.`,
  );
}
