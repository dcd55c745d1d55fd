import { parseArgs } from "node:util";
import { CliError, EXIT, type ExitCode, messageOf, usage } from "./cli-error";
import {
  CommandCall,
  type Command,
  type CommandIo,
  CONNECT_OPTIONS,
  type OptionTable,
  type OptionValues,
} from "./command";
import { COMMANDS } from "./commands";
import { helpOf, overviewOf } from "./help";
import { Output, printable } from "./output";

/** Runs one command line to its end. Every error a person can mend is one line; only a fault of the CLI shows where it came from. */
export async function runCli(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (!(error instanceof CliError)) {
      io.stderr(`corral failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      return EXIT.bug;
    }
    io.stderr(`corral: ${printable(error.message)}\n`);
    return error.exitCode;
  }
}

async function dispatch(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { words, options } = parse(argv);
  const asked = words[0] === "help" ? words.slice(1) : words;
  const command = find(asked);
  if (!command) return overview(asked, { wantsHelp: options["help"] === true || asked !== words, io });
  if (options["help"] === true || asked !== words) {
    io.stdout(helpOf(command));
    return EXIT.done;
  }
  const parameters = words.slice(command.words.split(" ").length);
  checkParameters(command, parameters);
  checkOptions(command, options);
  const output = new Output(io.stdout, options["json"] === true);
  return command.run(new CommandCall(io, output, { parameters, options }));
}

function parse(argv: readonly string[]): { words: string[]; options: OptionValues } {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: ALL_OPTIONS });
    return { words: positionals, options: values }; // no option may be given more than once
  } catch (error) {
    // parseArgs explains how to pass an operand that begins with a dash; no command takes one.
    throw usage(`${(messageOf(error).split(". ")[0] ?? "").replace(/\.$/, "")} (corral --help)`);
  }
}

/** One table for the parser, which has to know which options take a value before it knows which command was meant. */
const ALL_OPTIONS = Object.fromEntries(
  [CONNECT_OPTIONS, ...COMMANDS.map(({ options = {} }) => options)].flatMap((table: OptionTable) =>
    Object.entries(table).map(([name, { type }]) => [name, { type }]),
  ),
);

/** The command with the most words, so that `secret set` goes before a command `secret`. */
function find(words: readonly string[]): Command | undefined {
  const typed = `${words.join(" ")} `;
  return COMMANDS.filter((each) => typed.startsWith(`${each.words} `)).toSorted(
    (one, other) => other.words.length - one.words.length,
  )[0];
}

function overview(words: readonly string[], { wantsHelp, io }: { wantsHelp: boolean; io: CommandIo }): ExitCode {
  const group = COMMANDS.filter((each) => words[0] === undefined || each.words.startsWith(`${words[0]} `));
  if (wantsHelp && group.length > 0) {
    io.stdout(overviewOf(group));
    return EXIT.done;
  }
  if (words.length === 0) {
    io.stderr(overviewOf(COMMANDS));
    return EXIT.usage;
  }
  const known = group.map((each) => each.words).join(", ");
  throw usage(`unknown command ${words.join(" ")} (${known === "" ? "corral --help" : known})`);
}

function checkParameters({ words, parameters = [] }: Command, given: readonly string[]): void {
  const surplus = given[parameters.length];
  if (surplus !== undefined) throw usage(`${words} takes no '${surplus}' (corral ${words} --help)`);
  const missing = parameters.slice(given.length).find((name) => !name.startsWith("["));
  if (missing !== undefined) throw usage(`${missing} is missing (corral ${words} --help)`);
}

function checkOptions({ words, options = {} }: Command, given: OptionValues): void {
  const foreign = Object.keys(given).find((name) => !(name in options) && !(name in CONNECT_OPTIONS));
  if (foreign !== undefined) throw usage(`${words} has no --${foreign} (corral ${words} --help)`);
}
