import { RestError } from "@azure/core-rest-pipeline";
import { SecretClient } from "@azure/keyvault-secrets";
import { z } from "zod";
import { apiOf, orgPath } from "../api";
import type { CommandCall } from "../command";
import { CliError, EXIT, refused, usage } from "../cli-error";
import { type Connection, orgOf } from "../connection";

const OrgView = z.object({ vaultUrl: z.string().optional() });

/** The organization's vault, as the user himself: Corral's service has no part in it. */
export async function vaultOf(call: CommandCall): Promise<SecretClient> {
  const connection = await call.connect();
  const url = call.text("vault") ?? connection.vaultUrl ?? (await vaultUrlOf(connection));
  if (!URL.canParse(url) || !url.startsWith("https://")) throw usage(`--vault ${url} is no address of a vault`);
  return new SecretClient(url, connection.credential, {
    ...(connection.ca !== undefined && { tlsOptions: { ca: connection.ca } }),
    // Azure's own vaults are held to their domain, so that a token is sent nowhere else; an embedded one has another.
    disableChallengeResourceVerification: connection.authority !== undefined,
  });
}

async function vaultUrlOf(connection: Connection): Promise<string> {
  const org = orgOf(connection);
  const { vaultUrl } = OrgView.parse(await apiOf(connection).call({ method: "GET", path: orgPath(org) }));
  if (vaultUrl !== undefined) return vaultUrl;
  throw usage(`the vault of ${org} is not known: name it with --vault URL`);
}

/** Does something in the vault; its refusal becomes an error in its own words. */
export async function inVault<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    throw refusalOf(what, error);
  }
}

function refusalOf(what: string, { statusCode, code, message }: RestError): CliError {
  if (statusCode === undefined) return new CliError(`${what}: the vault does not answer: ${message}`, EXIT.unreachable);
  // Azure's text goes on with what the caller is; the first line is what it says.
  const [said = ""] = message.split(/\r?\n/);
  return refused(
    `${what} was refused by the vault (${statusCode}): ${code ?? "Error"}: ${said}${adviceFor(statusCode)}`,
  );
}

function adviceFor(statusCode: number): string {
  if (statusCode === 401) return " (sign in again: corral login)";
  if (statusCode === 403)
    return " (the vault's role Key Vault Secrets Officer sets secrets, Key Vault Reader lists them)";
  return "";
}
