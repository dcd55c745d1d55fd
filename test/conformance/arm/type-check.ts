import { readFileSync } from "node:fs";
import { join } from "node:path";

type Properties = Readonly<Record<string, string>>;

interface ObjectType {
  readonly properties: Properties;
  readonly additional?: string;
  readonly discriminator?: string;
  readonly elements?: readonly Properties[];
}

interface ResourceType {
  readonly version: string;
  readonly body: ObjectType;
  /** Where this type's object differs from the provider's of the same name. */
  readonly objects: Readonly<Record<string, ObjectType>>;
}

interface AzureTypes {
  readonly source: Readonly<Record<string, string>>;
  readonly missing: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, ResourceType>>;
  readonly shared: Readonly<Record<string, Readonly<Record<string, ObjectType>>>>;
}

// Written by scripts/azure-types.mjs, which has these types.
const AZURE = JSON.parse(readFileSync(join(__dirname, "azure-types.json"), "utf8")) as AzureTypes;

export const typesWithSchema = (): string[] => Object.keys(AZURE.types);

/** What a body of the simulator has that Azure's published type lacks, and where a value is of another type. */
export function findings(type: string, body: unknown): string[] {
  const resource = AZURE.types[type];
  if (!resource) throw new Error(`azure-types.json has no type ${type}.`);
  return checkObject({ resource, type, at: "" }, resource.body, body);
}

/** The same for an object of the type that is answered by itself, such as an instance view. */
export function findingsOf(type: string, objectName: string, body: unknown): string[] {
  const resource = AZURE.types[type];
  const definition = resource && objectOf({ resource, type, at: "" }, objectName);
  if (!resource || !definition) throw new Error(`azure-types.json has no ${objectName} in ${type}.`);
  return checkObject({ resource, type, at: "" }, definition, body);
}

interface Place {
  readonly resource: ResourceType;
  readonly type: string;
  readonly at: string;
}

const objectOf = ({ resource, type }: Place, name: string): ObjectType | undefined =>
  resource.objects[name] ?? AZURE.shared[type.split("/")[0] ?? ""]?.[name];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function checkObject(place: Place, definition: ObjectType, value: unknown): string[] {
  if (!isObject(value)) return [`${place.at}: no object, but ${JSON.stringify(value)}`];
  const known: Properties = { ...definition.properties, ...elementOf(definition, value) };
  return Object.entries(value).flatMap(([name, member]) => {
    const at = place.at === "" ? name : `${place.at}.${name}`;
    const declared = known[name] ?? definition.additional;
    if (declared === undefined) return [`${at}: not in ${place.type}@${place.resource.version}`];
    return checkValue({ ...place, at }, declared.replace(/ \([^)]*\)$/, ""), member);
  });
}

/** A union of objects: the element whose discriminator has the value that is there. */
function elementOf({ discriminator, elements = [] }: ObjectType, value: Readonly<Record<string, unknown>>): Properties {
  if (discriminator === undefined) return {};
  return elements.find((one) => one[discriminator]?.replace(/ \(.*\)$/, "") === value[discriminator]) ?? {};
}

const PRIMITIVES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  int: (value) => Number.isInteger(value),
  bool: (value) => typeof value === "boolean",
  any: () => true,
  null: (value) => value === null,
};

function checkValue(place: Place, declared: string, value: unknown): string[] {
  // Azure answers null for what is not set, in many places.
  if (value === null) return [];
  if (declared.endsWith("[]")) {
    if (!Array.isArray(value)) return [`${place.at}: no array, but ${JSON.stringify(value)}`];
    return value.flatMap((one, index) =>
      checkValue({ ...place, at: `${place.at}[${index}]` }, declared.slice(0, -2), one),
    );
  }
  const primitive = PRIMITIVES[declared];
  if (primitive) return primitive(value) ? [] : [`${place.at}: no ${declared}, but ${JSON.stringify(value)}`];
  const definition = objectOf(place, declared);
  if (definition) return checkObject(place, definition, value);
  // What is left are literals: a closed union, or one word.
  return declared.split(" | ").includes(typeof value === "string" ? value : JSON.stringify(value))
    ? []
    : [`${place.at}: ${JSON.stringify(value)} is none of ${declared}`];
}
