/** What the CLI's exit codes say; README has the same table. */
export const EXIT = {
  done: 0,
  /** Refused by Corral or Azure, or it came to something else than was asked for. */
  refused: 1,
  /** The command line is wrong; nothing was sent. */
  usage: 2,
  /** Nobody is signed in, or signing in failed. */
  signIn: 3,
  /** The service does not answer. */
  unreachable: 4,
  /** A fault of the CLI itself. */
  bug: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error that says all that its reader needs; shown without a stack. */
export class CliError extends Error {
  override readonly name = "CliError";

  constructor(
    message: string,
    readonly exitCode: ExitCode,
  ) {
    super(message);
  }
}

export const usage = (message: string): CliError => new CliError(message, EXIT.usage);
export const refused = (message: string): CliError => new CliError(message, EXIT.refused);
export const signInNeeded = (message: string): CliError => new CliError(message, EXIT.signIn);

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
