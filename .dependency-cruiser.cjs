/** The arrows of docs/architecture.md. A rule reads: files of `from` may not import files of `to`. */
const only = (name, from, allowed) => ({
  name,
  severity: "error",
  from: { path: from },
  to: { path: "^(src|local|cli|sim|bench|test|dashboard)/", pathNot: [from, ...allowed] },
});
const DOMAIN = ["^src/domain/", "^src/contract/"];

module.exports = {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    only("functions-hand-over", "^src/functions/", [
      ...DOMAIN,
      "^src/intake/",
      "^src/access/",
      "^src/state/",
      "^src/orchestrations/",
      "^src/settings",
    ]),
    only("intake-writes-rows", "^src/intake/", [...DOMAIN, "^src/state/"]),
    only("access-is-a-leaf", "^src/access/", [...DOMAIN, "^src/state/"]),
    only("orchestrations-order", "^src/orchestrations/", [...DOMAIN, "^src/activities/contract"]),
    only("activities-change-the-world", "^src/activities/", [...DOMAIN, "^src/state/", "^src/azure/"]),
    only("state-is-a-leaf", "^src/state/", DOMAIN),
    only("azure-is-a-leaf", "^src/azure/", DOMAIN),
    only("domain-uses-nothing", "^src/domain/", ["^src/contract/"]),
    only("contract-uses-nothing", "^src/contract/", []),
    only("agent-is-alone", "^src/agent/", DOMAIN),
    only("local-speaks-wire-only", "^local/", []),
    only("cli-is-a-client", "^cli/", DOMAIN),
    {
      name: "domain-has-no-packages",
      severity: "error",
      from: { path: "^src/domain/" },
      to: { dependencyTypes: ["npm", "core", "npm-dev"] },
    },
    {
      name: "contract-imports-zod-only",
      severity: "error",
      from: { path: "^src/contract/" },
      to: { dependencyTypes: ["npm", "core", "npm-dev"], pathNot: "node_modules/zod" },
    },
    {
      name: "agent-has-no-packages",
      severity: "error",
      from: { path: "^src/agent/" },
      to: { dependencyTypes: ["npm", "npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "agent-takes-contract-types-only",
      severity: "error",
      from: { path: "^src/agent/" },
      to: { path: "^src/contract/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "nothing-imports-the-agent",
      severity: "error",
      from: { path: "^(src|local|cli|bench)/", pathNot: "^src/agent/" },
      to: { path: "^src/agent/" },
    },
    {
      name: "nothing-imports-tests",
      severity: "error",
      from: { path: "^(src|local|cli|bench)/" },
      to: { path: "^(test|sim)/" },
    },
    {
      name: "not-to-dev-dep",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "(^|/)(dist|\\.corral)/" },
  },
};
