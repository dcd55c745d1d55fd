import comments from "@eslint-community/eslint-plugin-eslint-comments/configs";
import tseslint from "typescript-eslint";

const determinism = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: "Orchestrations take time from currentUtcDateTime.",
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: "Orchestrations take time from currentUtcDateTime.",
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: "Orchestrations take ids from newGuid or their input.",
  },
  { selector: "AwaitExpression", message: "Orchestrations are synchronous generators." },
  { selector: ":function[async=true]", message: "Orchestrations are synchronous generators." },
  {
    selector: "CallExpression[callee.property.name=/^call(Activity|SubOrchestrator)WithRetry$/]",
    message: "Retry with call() and durable timers.",
  },
  { selector: "YieldExpression[delegate=false]", message: "Use yield* call(...), so that results are typed." },
];

export default tseslint.config(
  { ignores: ["dist/", ".corral/", "coverage/", "node_modules/", "test/apps/"] },
  ...tseslint.configs.strictTypeChecked,
  comments.recommended,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  },
  {
    rules: {
      "max-lines": ["error", { max: 300, skipBlankLines: false }],
      "max-lines-per-function": ["error", { max: 60 }],
      "max-params": ["error", 3],
      "no-else-return": "error",
      "no-nested-ternary": "error",
      eqeqeq: "error",
      "no-console": "error",
      "@eslint-community/eslint-comments/require-description": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-require-imports": "error",
    },
  },
  { files: ["**/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  { files: ["scripts/**"], rules: { "no-console": "off" } },
  { files: ["test/**"], rules: { "max-lines-per-function": ["error", { max: 120 }] } },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/app.ts", "src/settings.ts", "src/agent/**"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Only settings.ts reads the environment." },
      ],
    },
  },
  {
    files: ["src/domain/**/*.ts"],
    rules: {
      "no-restricted-syntax": ["error", ...determinism.slice(0, 3)],
      "no-restricted-globals": ["error", "process", "fetch", "setTimeout", "setInterval"],
    },
  },
  {
    files: ["src/orchestrations/**/*.ts"],
    rules: {
      "no-restricted-syntax": ["error", ...determinism],
      "no-restricted-globals": ["error", "process", "fetch", "setTimeout", "setInterval", "setImmediate", "crypto"],
      "no-restricted-imports": ["error", { patterns: ["node:*", "@azure/*"] }],
      // Generators without a yield are legal orchestrations.
      "require-yield": "off",
    },
  },
  {
    files: ["src/orchestrations/durable.ts"],
    rules: { "no-restricted-syntax": ["error", ...determinism.slice(0, 6)] },
  },
  { files: ["**/*.{js,mjs,cjs}"], extends: [tseslint.configs.disableTypeChecked] },
);
