/** What a subcommand takes: each flag with or without a value. */
export interface Syntax {
  readonly flags: Readonly<Record<string, "value" | "switch">>;
}

export interface ParsedArguments {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
}

/** A mistake in the call itself: Docker's client says so and exits with 125. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The flags that the agent uses, and none besides: an unknown one must fail here and not on the first real machine. */
export const SYNTAX = {
  pull: { flags: { "--quiet": "switch" } },
  login: { flags: { "--username": "value", "--password-stdin": "switch" } },
  logout: { flags: {} },
  run: {
    flags: {
      "--detach": "switch",
      "--name": "value",
      "--init": "switch",
      "--pull": "value",
      "--cap-drop": "value",
      "--security-opt": "value",
      "--network": "value",
      "--shm-size": "value",
      "--log-driver": "value",
      "--log-opt": "value",
      "--gpus": "value",
      "--env-file": "value",
      "-e": "value",
      "-v": "value",
    },
  },
  logs: { flags: { "--follow": "switch" } },
  wait: { flags: {} },
  kill: { flags: { "--signal": "value" } },
  inspect: { flags: { "--type": "value", "--format": "value" } },
  rm: { flags: { "--force": "switch" } },
  ps: { flags: { "--quiet": "switch" } },
} as const satisfies Record<string, Syntax>;

export type Subcommand = keyof typeof SYNTAX;

export function isSubcommand(name: string | undefined): name is Subcommand {
  return name !== undefined && Object.hasOwn(SYNTAX, name);
}

/** Flags stand before the first plain argument, as in Docker: what follows the image belongs to the container's program. */
export function parseArguments(subcommand: Subcommand, args: readonly string[]): ParsedArguments {
  const { flags }: Syntax = SYNTAX[subcommand];
  const values = new Map<string, string[]>();
  let index = 0;
  for (; index < args.length; index += 1) {
    const flag = args[index] ?? "";
    if (!flag.startsWith("-")) break;
    const kind = flags[flag];
    if (!kind)
      throw new UsageError(
        `unknown flag: ${flag}\n\nThe stand-in for docker knows for ${subcommand}: ${Object.keys(flags).join(" ")}`,
      );
    if (kind === "switch") {
      values.set(flag, []);
      continue;
    }
    index += 1;
    const value = args[index];
    if (value === undefined) throw new UsageError(`flag needs an argument: ${flag}`);
    values.set(flag, [...(values.get(flag) ?? []), value]);
  }
  return { values, rest: args.slice(index) };
}
