/* unit: rules, and simulators in this process or as children. conformance: the embedded Azure, judged by other people's clients
   and documents. e2e: the whole stack. slow: test/slow and `*.slow.test.ts`, with test:all only. */
const project = (displayName, testMatch) => ({
  displayName,
  testMatch,
  testEnvironment: "node",
  // jose is published as ES modules only; jest's own require needs it transformed.
  transform: { "^.+\\.[jt]s$": ["@swc/jest", { jsc: { target: "es2023", parser: { syntax: "typescript" } } }] },
  transformIgnorePatterns: ["/node_modules/(?!(jose|canonicalize)/)"],
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.corral", "<rootDir>/test/apps"],
});

module.exports = {
  maxWorkers: 2,
  testTimeout: 60_000,
  reporters: ["default", "<rootDir>/scripts/conformance-reporter.cjs", "<rootDir>/scripts/closing-line-reporter.cjs"],
  projects: [
    project("unit", ["<rootDir>/test/{src,cli,local,support,scripts}/**/*.test.ts"]),
    project("conformance", ["<rootDir>/test/conformance/**/*.test.ts", "!**/*.slow.test.ts"]),
    project("e2e", ["<rootDir>/test/e2e/**/*.test.ts"]),
    project("slow", ["<rootDir>/test/slow/**/*.test.ts", "<rootDir>/test/conformance/**/*.slow.test.ts"]),
  ],
};
