import type { Condition } from "./condition-syntax";
import { type ConditionFacts, isFulfilled } from "./evaluate-condition";
import { ConditionSyntaxError, parseCondition } from "./parse-condition";

const MAX_CONDITIONS = 1000;

/** The conditions that are in use, read once. */
export class ConditionCache {
  private readonly parsed = new Map<string, Condition | "unreadable">();

  /** An assignment without condition grants without asking; one whose condition cannot be read grants nothing. */
  isFulfilled(text: string | undefined, facts: ConditionFacts): boolean {
    if (text === undefined) return true;
    const condition = this.find(text);
    return condition !== "unreadable" && isFulfilled(condition, facts);
  }

  private find(text: string): Condition | "unreadable" {
    const known = this.parsed.get(text);
    if (known) return known;
    if (this.parsed.size >= MAX_CONDITIONS) this.parsed.clear();
    const condition = read(text);
    this.parsed.set(text, condition);
    return condition;
  }
}

function read(text: string): Condition | "unreadable" {
  try {
    return parseCondition(text);
  } catch (error) {
    // Rows of an older cloud may hold what is refused today.
    if (error instanceof ConditionSyntaxError) return "unreadable";
    throw error;
  }
}
