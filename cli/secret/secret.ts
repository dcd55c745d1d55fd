import type { SecretClient, SecretProperties } from "@azure/keyvault-secrets";
import type { Command, CommandCall, OptionTable } from "../command";
import { EXIT, type ExitCode, refused, usage } from "../cli-error";
import { timeOf } from "../time-option";
import { SecretName } from "../../src/contract/names";
import { secretValueOf } from "./secret-value";
import { inVault, vaultOf } from "./vault";

const VAULT: OptionTable = {
  vault: { type: "string", value: "URL", help: "the vault; the organization's by default" },
};

export const SECRET_COMMANDS: readonly Command[] = [
  {
    words: "secret set",
    parameters: ["NAME"],
    summary: "store a secret in the organization's vault, from stdin or a file",
    help: "Goes from here to the vault under your own name: Corral's service never holds it. At most 25,600 bytes of UTF-8; of stdin the last line's end is left out.",
    options: {
      ...VAULT,
      file: { type: "string", value: "FILE", help: "the value is this file's content, as it is" },
      "content-type": { type: "string", value: "TEXT", help: "what it is, for people" },
      "not-before": { type: "string", value: "TIME", help: "jobs may use it from then on (RFC 3339)" },
      expires: { type: "string", value: "TIME", help: "and until then" },
    },
    run: set,
  },
  { words: "secret list", summary: "list secrets, never their values", options: VAULT, run: list },
  {
    words: "secret show",
    parameters: ["NAME"],
    summary: "what is known of a secret; its value only with --value",
    options: { ...VAULT, value: { type: "boolean", help: "print the value itself to stdout, and nothing else" } },
    run: show,
  },
  {
    words: "secret disable",
    parameters: ["NAME"],
    summary: "no job may use it until it is set again",
    options: VAULT,
    run: disable,
  },
  {
    words: "secret delete",
    parameters: ["NAME"],
    summary: "delete a secret; the vault can recover it for a while",
    options: VAULT,
    run: remove,
  },
];

async function set(call: CommandCall): Promise<ExitCode> {
  const name = nameOf(call);
  const [notBefore, expires] = [momentOf(call, "not-before"), momentOf(call, "expires")];
  if (notBefore && expires && expires <= notBefore) throw usage("--expires does not lie after --not-before");
  const contentType = call.text("content-type");
  const value = await secretValueOf(call);
  const vault = await vaultOf(call);
  const { properties } = await inVault(`setting ${name}`, () =>
    vault.setSecret(name, value, {
      enabled: true,
      ...(contentType !== undefined && { contentType }),
      ...(notBefore && { notBefore }),
      ...(expires && { expiresOn: expires }),
    }),
  );
  call.output.line(`secret ${name} is set; a job names it in "secrets" or "secretFiles"`);
  call.output.json(viewOf(properties));
  return EXIT.done;
}

async function list(call: CommandCall): Promise<ExitCode> {
  const vault = await vaultOf(call);
  const secrets = await inVault("listing secrets", () => collect(vault.listPropertiesOfSecrets()));
  call.output.json({ value: secrets.map(viewOf) });
  call.output.table(
    ["NAME", "ENABLED", "CONTENT TYPE", "NOT BEFORE", "EXPIRES", "CHANGED"],
    secrets.map((each) => {
      const { name, enabled, contentType, notBefore, expires, changedAt } = viewOf(each);
      return [name, enabled ? "yes" : "no", contentType, notBefore, expires, changedAt];
    }),
  );
  return EXIT.done;
}

/** What a Key Vault Reader may see: the properties are read without the value. */
async function show(call: CommandCall): Promise<ExitCode> {
  const name = nameOf(call);
  const vault = await vaultOf(call);
  if (call.isSet("value")) {
    const { value = "" } = await inVault(`reading ${name}`, () => vault.getSecret(name));
    call.output.raw(value);
    return EXIT.done;
  }
  const view = viewOf(await currentOf(vault, name));
  call.output.json(view);
  for (const [field, value] of Object.entries(view)) call.output.line(`${field.padEnd(11)}  ${String(value)}`);
  return EXIT.done;
}

async function disable(call: CommandCall): Promise<ExitCode> {
  const name = nameOf(call);
  const vault = await vaultOf(call);
  const { version = "" } = await currentOf(vault, name);
  const changed = await inVault(`disabling ${name}`, () =>
    vault.updateSecretProperties(name, version, { enabled: false }),
  );
  call.output.line(`secret ${name} is disabled; corral secret set ${name} gives it a new value`);
  call.output.json(viewOf(changed));
  return EXIT.done;
}

async function remove(call: CommandCall): Promise<ExitCode> {
  const name = nameOf(call);
  const vault = await vaultOf(call);
  const poller = await inVault(`deleting ${name}`, () => vault.beginDeleteSecret(name));
  const { scheduledPurgeDate } = await inVault(`deleting ${name}`, () => poller.pollUntilDone());
  const until = scheduledPurgeDate?.toISOString();
  call.output.line(
    `secret ${name} is deleted${until === undefined ? "" : `; the vault can recover it until ${until}`}`,
  );
  call.output.json({ name, recoverableUntil: until });
  return EXIT.done;
}

/** The newest version: the one that a job reads. */
async function currentOf(vault: SecretClient, name: string): Promise<SecretProperties> {
  const versions = await inVault(`looking at ${name}`, () => collect(vault.listPropertiesOfSecretVersions(name)));
  const timeOfVersion = ({ createdOn }: SecretProperties): number => createdOn?.getTime() ?? 0;
  const [current] = versions.toSorted((one, other) => timeOfVersion(other) - timeOfVersion(one));
  if (current) return current;
  throw refused(`there is no secret ${name} in ${vault.vaultUrl}`);
}

interface SecretView {
  readonly name: string;
  readonly enabled: boolean;
  readonly contentType?: string;
  readonly notBefore?: string;
  readonly expires?: string;
  readonly changedAt?: string;
}

function viewOf({ name, enabled, contentType, notBefore, expiresOn, updatedOn }: SecretProperties): SecretView {
  return {
    name,
    enabled: enabled ?? true,
    ...(contentType !== undefined && { contentType }),
    ...(notBefore && { notBefore: notBefore.toISOString() }),
    ...(expiresOn && { expires: expiresOn.toISOString() }),
    ...(updatedOn && { changedAt: updatedOn.toISOString() }),
  };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function nameOf(call: CommandCall): string {
  const name = SecretName.safeParse(call.parameter(0, "NAME"));
  if (name.success) return name.data;
  throw usage(`NAME: ${name.error.issues[0]?.message ?? "is no name of a secret"}`);
}

function momentOf(call: CommandCall, option: string): Date | undefined {
  const text = timeOf(`--${option}`, call.text(option));
  return text === undefined ? undefined : new Date(text);
}
