const { writeSync } = require("node:fs");

/** Closes a test run with one plain line that people and CI can read: `N passed, N failed`. */
class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    // A suite that cannot even be loaded has no failed test, yet it must not count as green.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : "";
    // Jest's own summary comes after this call; the line is to be the last.
    process.once("exit", () => writeSync(1, `\n${results.numPassedTests} passed, ${failed} failed${skipped}\n`));
  }
}

module.exports = ClosingLineReporter;
