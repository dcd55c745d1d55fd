import { join } from "node:path";
import * as ts from "typescript";
import type { SdkModels } from "./sdk-models";

let compiled: { readonly checker: ts.TypeChecker; readonly models: ts.Type } | undefined;

/** The compiler's view of sdk-models.ts; made once, as it reads the declarations of nine packages. */
function models(): { readonly checker: ts.TypeChecker; readonly models: ts.Type } {
  compiled ??= compile();
  return compiled;
}

function compile(): { readonly checker: ts.TypeChecker; readonly models: ts.Type } {
  const file = join(__dirname, "sdk-models.ts");
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const declared = source?.statements.find(ts.isInterfaceDeclaration);
  if (!declared) throw new Error("sdk-models.ts declares no interface.");
  return { checker, models: checker.getTypeAtLocation(declared) };
}

/** The members that a client's own model says are always there, and that its answer lacks. */
export function missingMembers(type: keyof SdkModels, answer: unknown): string[] {
  const { checker, models: all } = models();
  const member = all.getProperty(type);
  if (!member) throw new Error(`sdk-models.ts has no ${type}.`);
  return walk(checker, checker.getTypeOfSymbol(member), { value: answer, at: "" });
}

interface Node {
  readonly value: unknown;
  readonly at: string;
}

function walk(checker: ts.TypeChecker, type: ts.Type, { value, at }: Node): string[] {
  if (typeof value !== "object" || value === null || value instanceof Date) return [];
  const present = checker.getNonNullableType(type);
  if (Array.isArray(value)) {
    const element = checker.getIndexTypeOfType(present, ts.IndexKind.Number);
    return element
      ? value.flatMap((one: unknown, index) => walk(checker, element, { value: one, at: `${at}[${index}]` }))
      : [];
  }
  const members = value as Readonly<Record<string, unknown>>;
  return present.getProperties().flatMap((property) => {
    if (!isOfClient(property)) return [];
    const inner = { value: members[property.name], at: at === "" ? property.name : `${at}.${property.name}` };
    const isRequired = (property.flags & ts.SymbolFlags.Optional) === 0;
    if (inner.value === undefined) return isRequired ? [`${inner.at}: required by the client's model`] : [];
    return walk(checker, checker.getTypeOfSymbol(property), inner);
  });
}

/** Members that the language itself gives an object are none of the model's. */
const isOfClient = (property: ts.Symbol): boolean =>
  property.declarations?.some((one) => one.getSourceFile().fileName.includes("/@azure/")) ?? false;
