const { relative, sep } = require("node:path");

/** Prints how many cases each conformance suite holds: its size is part of what the embedded Azure promises. */
class ConformanceReporter {
  onRunComplete(_contexts, { testResults }) {
    const suites = countBySuite(testResults);
    if (suites.size === 0) return;
    const width = Math.max(...[...suites.keys()].map((name) => name.length));
    const lines = [...suites].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => line(name, count, width));
    process.stdout.write(`\nConformance cases by suite\n${lines.join("\n")}\n`);
  }
}

function countBySuite(testResults) {
  const suites = new Map();
  for (const { testFilePath, testResults: cases } of testResults) {
    const [, folder, suite] = relative(process.cwd(), testFilePath).split(sep);
    if (folder !== "conformance") continue;
    const count = suites.get(suite) ?? { passed: 0, failed: 0, skipped: 0 };
    for (const { status } of cases) {
      if (status === "passed" || status === "failed") count[status] += 1;
      else count.skipped += 1;
    }
    suites.set(suite, count);
  }
  return suites;
}

function line(name, { passed, failed, skipped }, width) {
  const rest = [failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`].filter(Boolean);
  return `  ${name.padEnd(width)}  ${String(passed).padStart(4)} passed${rest.map((text) => `, ${text}`).join("")}`;
}

module.exports = ConformanceReporter;
