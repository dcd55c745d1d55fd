import { CONNECT_OPTIONS, type Command, type OptionTable } from "./command";

const EXIT_CODES = `exit codes: 0 done; 1 refused, or not what was asked for; 2 wrong command line; 3 sign in first; 4 no answer; 70 a bug`;

const padded = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
};

const lineOf = ({ words, parameters = [] }: Command): string => [words, ...parameters].join(" ");

const optionRows = (options: OptionTable): [string, string][] =>
  Object.entries(options).map(([name, { value, help }]) => [`--${name}${value ? ` ${value}` : ""}`, help]);

/** All commands, or those whose words begin with the given ones. */
export function overviewOf(commands: readonly Command[]): string {
  const rows = commands.map((command): [string, string] => [lineOf(command), command.summary]);
  return `corral COMMAND [options]; corral COMMAND --help says more\n\n${padded(rows)}\n\n${EXIT_CODES}\n`;
}

export function helpOf(command: Command): string {
  const { options = {}, summary, help } = command;
  const own = optionRows(options);
  const parts = [
    `corral ${lineOf(command)}${own.length > 0 ? " [options]" : ""}\n\n${summary}.${help === undefined ? "" : ` ${help}`}`,
    ...(own.length > 0 ? [`options:\n${padded(own)}`] : []),
    `with every command:\n${padded(optionRows(CONNECT_OPTIONS))}`,
    EXIT_CODES,
  ];
  return `${parts.join("\n\n")}\n`;
}
