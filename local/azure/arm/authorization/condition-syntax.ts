/** Where an attribute of a condition comes from. */
export type AttributeSource = "Request" | "Resource" | "Principal" | "Environment";

export interface AttributeReference {
  readonly kind: "attribute";
  readonly source: AttributeSource;
  /** `Microsoft.Authorization/roleAssignments:RoleDefinitionId`. */
  readonly name: string;
}

export interface LiteralValues {
  readonly kind: "values";
  readonly values: readonly string[];
  /** Written with braces. */
  readonly isSet: boolean;
}

export type Operand = AttributeReference | LiteralValues;

export const QUANTIFIERS = [
  "ForAnyOfAnyValues",
  "ForAllOfAnyValues",
  "ForAnyOfAllValues",
  "ForAllOfAllValues",
] as const;
export type Quantifier = (typeof QUANTIFIERS)[number];

export type Condition =
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "not"; readonly of: Condition }
  | { readonly kind: "action" | "suboperation"; readonly pattern: string }
  | { readonly kind: "exists"; readonly attribute: AttributeReference }
  | {
      readonly kind: "comparison";
      readonly left: Operand;
      readonly quantifier?: Quantifier | undefined;
      /** As Azure spells it: `GuidEquals`. */
      readonly operator: string;
      readonly right: Operand;
    };

/** Writes a condition as Azure's documents do, with every bracket. */
export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case "and":
    case "or":
      return `(${conditionText(condition.left)} ${condition.kind.toUpperCase()} ${conditionText(condition.right)})`;
    case "not":
      return `!(${conditionText(condition.of)})`;
    case "action":
      return `ActionMatches{${quoted(condition.pattern)}}`;
    case "suboperation":
      return `SubOperationMatches{${quoted(condition.pattern)}}`;
    case "exists":
      return `Exists ${operandText(condition.attribute)}`;
    case "comparison": {
      const operator = condition.quantifier ? `${condition.quantifier}:${condition.operator}` : condition.operator;
      return `${operandText(condition.left)} ${operator} ${operandText(condition.right)}`;
    }
  }
}

function operandText(operand: Operand): string {
  if (operand.kind === "attribute") return `@${operand.source}[${operand.name}]`;
  const values = operand.values.map(quoted).join(", ");
  return operand.isSet ? `{${values}}` : values;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
