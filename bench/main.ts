import type { Bench, BenchReport } from "./report";

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  authz: async () => (await import("./authz.js")).benchAuthz,
  bus: async () => (await import("./bus.js")).benchBus,
  host: async () => (await import("./host.js")).benchHost,
  overhead: async () => (await import("./overhead.js")).benchOverhead,
};

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Nested objects become dotted names, one line for each value. */
function rowsOf(value: unknown, name: string): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((item, index) => rowsOf(item, `${name}[${index}]`));
  if (typeof value !== "object" || value === null) return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, item]) => rowsOf(item, name === "" ? key : `${name}.${key}`));
}

function tableOf(report: BenchReport): string {
  const rows = rowsOf(report.result, "");
  const width = Math.max(...rows.map(([name]) => name.length));
  return [...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ...report.notes].join("\n");
}

async function main(): Promise<void> {
  const [name, ...flags] = process.argv.slice(2);
  const load = name === undefined ? undefined : BENCHES[name];
  if (!load || flags.some((flag) => flag !== "--json")) {
    log(`usage: bench <name> [--json]; names: ${Object.keys(BENCHES).join(", ")}`);
    process.exitCode = 2;
    return;
  }
  const report = await (await load())(log);
  const asJson = flags.includes("--json");
  if (asJson) for (const note of report.notes) log(note);
  process.stdout.write(`${asJson ? JSON.stringify(report.result) : tableOf(report)}\n`);
}

main().catch((error: unknown) => {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
});
