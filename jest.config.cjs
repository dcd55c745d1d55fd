/* Three projects: unit (no child process, no wire), integration (simulators in this process or as children), e2e (the whole stack).
   Slow suites lie in test/slow and run with test:all only. */
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
  reporters: ["default", "<rootDir>/scripts/closing-line-reporter.cjs"],
  projects: [
    project("unit", ["<rootDir>/test/{src,cli,local,support,scripts}/**/*.test.ts"]),
    project("e2e", ["<rootDir>/test/e2e/**/*.test.ts"]),
    project("slow", ["<rootDir>/test/slow/**/*.test.ts"]),
  ],
};
