import { type KqlExpression, parseArguments, parseExpression } from "./kql-expression";
import { AGGREGATES } from "./kql-functions";
import { kqlTokens, TokenCursor } from "./kql-tokens";
import { compareValues, type KqlRow, textOfValue } from "./kql-values";

/** A query, read: the table it begins with, and what is done to the table's rows. */
export interface KqlQuery {
  readonly table: string;
  readonly isOrdered: boolean;
  readonly run: (rows: readonly KqlRow[]) => readonly KqlRow[];
}

type Step = (rows: readonly KqlRow[]) => readonly KqlRow[];

interface Column {
  readonly name: string;
  readonly expression: KqlExpression;
}

const MAX_STEPS = 50;

/** The part of Kusto's language that Resource Graph queries of this kind use. Throws `KqlError` for everything else. */
export function parseKql(text: string): KqlQuery {
  const cursor = new TokenCursor(kqlTokens(text));
  // A query without a table is one over resources.
  const table = cursor.isAt("where") ? "resources" : cursor.name().toLowerCase();
  const steps: Step[] = [];
  let isOrdered = false;
  if (cursor.isAt("where")) steps.push(parseStep(cursor));
  while (cursor.take("|")) {
    if (steps.length >= MAX_STEPS) throw cursor.refusal("the query has too many operators");
    if (["order", "sort", "top"].some((word) => cursor.isAt(word))) isOrdered = true;
    steps.push(parseStep(cursor));
  }
  if (cursor.current.kind !== "end") throw cursor.refusal("'|' is expected");
  return { table, isOrdered, run: (rows) => steps.reduce<readonly KqlRow[]>((left, step) => step(left), rows) };
}

const STEPS: Readonly<Record<string, (cursor: TokenCursor) => Step>> = {
  where: parseWhere,
  project: (cursor) => {
    const columns = parseColumns(cursor);
    return (rows) =>
      rows.map((row) => Object.fromEntries(columns.map(({ name, expression }) => [name, expression.evaluate(row)])));
  },
  "project-away": (cursor) => {
    const names = new Set(parseNames(cursor));
    return (rows) =>
      rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !names.has(name.toLowerCase()))));
  },
  "project-keep": (cursor) => {
    const names = new Set(parseNames(cursor));
    return (rows) =>
      rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => names.has(name.toLowerCase()))));
  },
  extend: (cursor) => {
    const columns = parseColumns(cursor);
    return (rows) =>
      rows.map((row) =>
        columns.reduce<KqlRow>((left, { name, expression }) => ({ ...left, [name]: expression.evaluate(left) }), row),
      );
  },
  order: parseOrder,
  sort: parseOrder,
  limit: parseTake,
  take: parseTake,
  top: (cursor) => {
    const count = parseCount(cursor);
    const order = parseOrder(cursor);
    return (rows) => order(rows).slice(0, count);
  },
  count: () => (rows) => [{ Count: rows.length }],
  distinct: (cursor) => {
    const columns = parseColumns(cursor);
    return (rows) => {
      const found = new Map<string, KqlRow>();
      for (const row of rows) {
        const picked = Object.fromEntries(columns.map(({ name, expression }) => [name, expression.evaluate(row)]));
        found.set(JSON.stringify(picked), picked);
      }
      return [...found.values()];
    };
  },
  summarize: parseSummarize,
};

function parseStep(cursor: TokenCursor): Step {
  const word = cursor.current.text.toLowerCase();
  const parse = cursor.current.kind === "name" && Object.hasOwn(STEPS, word) ? STEPS[word] : undefined;
  if (!parse) throw cursor.refusal(`'${cursor.current.text}' is no operator that is supported`);
  cursor.next();
  return parse(cursor);
}

function parseWhere(cursor: TokenCursor): Step {
  const condition = parseExpression(cursor);
  return (rows) => rows.filter((row) => condition.evaluate(row) === true);
}

function parseNames(cursor: TokenCursor): string[] {
  const names: string[] = [];
  do names.push(cursor.name().toLowerCase());
  while (cursor.take(","));
  return names;
}

/** `name = expression`, or an expression that names its column itself. */
function parseColumns(cursor: TokenCursor): Column[] {
  const columns: Column[] = [];
  do {
    const expression = parseExpression(cursor);
    if (cursor.take("=")) columns.push({ name: expression.name, expression: parseExpression(cursor) });
    else columns.push({ name: expression.name, expression });
  } while (cursor.take(","));
  return columns;
}

function parseOrder(cursor: TokenCursor): Step {
  cursor.expect("by");
  const keys: { expression: KqlExpression; sign: 1 | -1 }[] = [];
  do {
    const expression = parseExpression(cursor);
    // Kusto sorts downwards unless told otherwise.
    const sign = cursor.take("asc") ? 1 : -1;
    if (sign === -1) cursor.take("desc");
    if (cursor.take("nulls") && !cursor.take("first")) cursor.expect("last");
    keys.push({ expression, sign });
  } while (cursor.take(","));
  return (rows) =>
    rows.toSorted((left, right) => {
      for (const { expression, sign } of keys) {
        const order = compareValues(expression.evaluate(left), expression.evaluate(right));
        if (order !== 0) return sign * order;
      }
      return 0;
    });
}

function parseCount(cursor: TokenCursor): number {
  const { kind, text } = cursor.current;
  if (kind !== "number" || !/^\d+$/.test(text)) throw cursor.refusal("a whole number is expected");
  cursor.next();
  return Number(text);
}

function parseTake(cursor: TokenCursor): Step {
  const count = parseCount(cursor);
  return (rows) => rows.slice(0, count);
}

interface Aggregate {
  readonly name: string;
  readonly argument: KqlExpression | undefined;
  readonly over: (values: readonly unknown[]) => unknown;
}

function parseAggregate(cursor: TokenCursor): Aggregate {
  const first = cursor.name();
  const isNamed = cursor.take("=");
  const call = (isNamed ? cursor.name() : first).toLowerCase();
  const over = Object.hasOwn(AGGREGATES, call) ? AGGREGATES[call] : undefined;
  if (!over) throw cursor.refusal(`there is no aggregate '${call}'`);
  const [argument] = parseArguments(cursor, 0);
  const ownName = argument ? `${call}_${argument.name}` : `${call}_`;
  return { name: isNamed ? first : ownName, argument, over };
}

function parseSummarize(cursor: TokenCursor): Step {
  const aggregates: Aggregate[] = [];
  if (!cursor.isAt("by")) {
    do aggregates.push(parseAggregate(cursor));
    while (cursor.take(","));
  }
  const keys = cursor.take("by") ? parseColumns(cursor) : [];
  return (rows) => {
    const groups = Map.groupBy(rows, (row) =>
      keys.map(({ expression }) => textOfValue(expression.evaluate(row))).join("\u0000"),
    );
    if (keys.length === 0 && rows.length === 0) groups.set("", []);
    return [...groups.values()].map((group) => ({
      ...Object.fromEntries(keys.map(({ name, expression }) => [name, group[0] && expression.evaluate(group[0])])),
      ...Object.fromEntries(
        aggregates.map(({ name, argument, over }) => [name, over(group.map((row) => argument?.evaluate(row)))]),
      ),
    }));
  };
}
