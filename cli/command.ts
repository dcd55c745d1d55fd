import type { Readable } from "node:stream";
import type { Environment } from "./environment";
import type { Output } from "./output";
import { type Connection, connect, type ConnectOptions } from "./connection";
import type { ExitCode } from "./cli-error";
import { usage } from "./cli-error";

export interface OptionHelp {
  readonly type: "string" | "boolean";
  /** What stands for the value in the help; none for a switch. */
  readonly value?: string;
  readonly help: string;
}

export type OptionTable = Readonly<Record<string, OptionHelp>>;
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  /** As it is typed, `secret set`. */
  readonly words: string;
  /** What follows the words, `NAME`; `[NAME]` may be left out. */
  readonly parameters?: readonly string[];
  readonly summary: string;
  /** More than the summary says; shown by `--help`. */
  readonly help?: string;
  readonly options?: OptionTable;
  readonly run: (call: CommandCall) => Promise<ExitCode>;
}

export interface CommandIo {
  readonly environment: Environment;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** One call of a command, its options checked against what it takes. */
export class CommandCall {
  constructor(
    readonly io: CommandIo,
    readonly output: Output,
    private readonly given: { readonly parameters: readonly string[]; readonly options: OptionValues },
  ) {}

  get environment(): Environment {
    return this.io.environment;
  }

  /** To the person, beside the command's output. */
  readonly tell = (line: string): void => this.io.stderr(`${line}\n`);

  parameter(index: number, name: string): string {
    const value = this.given.parameters[index];
    if (value === undefined) throw usage(`${name} is missing`);
    return value;
  }

  optionalParameter(index: number): string | undefined {
    return this.given.parameters[index];
  }

  text(option: string): string | undefined {
    const value = this.given.options[option];
    return typeof value === "string" ? value : undefined;
  }

  needed(option: string): string {
    const value = this.text(option);
    if (value === undefined) throw usage(`--${option} is missing`);
    return value;
  }

  isSet(option: string): boolean {
    return this.given.options[option] === true;
  }

  get connectOptions(): ConnectOptions {
    return this.given.options; // parsed as texts by the table of options that every command has
  }

  connect(): Promise<Connection> {
    return connect({ options: this.connectOptions, environment: this.environment, tell: this.tell });
  }
}

/** What every command takes: which deployment, which organization, as whom. */
export const CONNECT_OPTIONS: OptionTable = {
  org: { type: "string", value: "ORG", help: "the organization" },
  api: { type: "string", value: "URL", help: "the deployment; CORRAL_API_URL in the environment" },
  "sign-in": {
    type: "string",
    value: "WAY",
    help: "browser, device-code, service-principal, azure-cli or managed-identity",
  },
  tenant: { type: "string", value: "ID", help: "the Entra tenant, where the user has several" },
  "client-id": { type: "string", value: "ID", help: "the CLI's application in Entra, if the deployment names none" },
  authority: { type: "string", value: "URL", help: "another Entra than Microsoft's, such as the embedded stack's" },
  arm: { type: "string", value: "URL", help: "another Azure Resource Manager" },
  ca: { type: "string", value: "FILE", help: "certificate authority of those two" },
  stack: {
    type: "string",
    value: "FILE",
    help: "stack.json of an embedded stack; .corral/stack.json when nobody is signed in",
  },
  as: { type: "string", value: "ROLE", help: "which of that stack's users" },
  json: { type: "boolean", help: "JSON for programs" },
  help: { type: "boolean", help: "this text" },
};
