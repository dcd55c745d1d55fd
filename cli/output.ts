/** Where a command writes: rows for people, JSON for programs. Nothing else of the CLI writes to stdout. */
export class Output {
  constructor(
    private readonly write: (text: string) => void,
    readonly isJson: boolean,
  ) {}

  line(text: string): void {
    if (!this.isJson) this.write(`${text}\n`);
  }

  json(value: unknown): void {
    if (this.isJson) this.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** Text as it is, also with `--json`: for what is JSON already, and for a secret's value. */
  raw(text: string): void {
    this.write(text);
  }

  table(head: readonly string[], rows: readonly (readonly (string | undefined)[])[]): void {
    if (!this.isJson) this.write(tableOf(head, rows));
  }
}

/** Columns as wide as their widest cell; what a stranger named cannot move the cursor. */
export function tableOf(head: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string {
  const cells = [head, ...rows].map((row) => head.map((_, column) => printable(row[column] ?? "")));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

export const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, "?");
