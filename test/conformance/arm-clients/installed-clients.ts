import { spawnSync } from "node:child_process";

const PYTHONS = ["python3", "/usr/bin/python3"];

/** A Python that has all of the modules; Debian's packages are seen by Debian's Python only. */
export function findPython(modules: readonly string[]): string | undefined {
  const look = `import importlib.util, sys
sys.exit(0 if all(importlib.util.find_spec(name) for name in sys.argv[1:]) else 1)`;
  return PYTHONS.find((python) => spawnSync(python, ["-c", look, ...modules], { stdio: "ignore" }).status === 0);
}

export function findAz(): string | undefined {
  const candidates = ["/usr/bin/az", "az"];
  return candidates.find((az) => spawnSync("sh", ["-c", `command -v ${az}`], { stdio: "ignore" }).status === 0);
}

/** `it` where a client is installed; otherwise each case is reported as skipped, and a line says what to install. */
export function itWith(client: string | undefined, install: string): jest.It {
  if (client !== undefined) return it;
  process.stderr.write(`Skipped: ${install}\n`);
  return it.skip;
}
