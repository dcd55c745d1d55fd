import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { ParsedArguments } from "./container-arguments";
import { UsageError } from "./container-arguments";
import type { CommandEnd, Surroundings } from "./container-run";
import { DockerCredentials, PulledImages } from "./docker-config";
import { imageProblemOf } from "./image-reference";
import { checkLogin, PullError, pullImage, type RegistryAccess } from "./registry-client";
import { isLocalRegistry, localReferenceOf } from "./registry-reference";

/** `docker pull`: really asks a registry of the embedded Azure; images of all other registries are simply there. */
export async function pull({ rest: [image = ""] }: ParsedArguments, surroundings: Surroundings): Promise<CommandEnd> {
  const problem = imageProblemOf(image);
  if (problem) return { code: 1, stderr: `${problem}\n` };
  const at = localReferenceOf(image);
  if (!at) return { code: 0, stdout: `${image}\n` };
  return orDaemonError(async () => {
    const digest = await pullImage(image, at, accessTo(at.host, surroundings));
    new PulledImages(surroundings.vmFolder).add(image, digest);
    return { code: 0, stdout: `${image}\n` };
  });
}

/** `docker login --username NAME --password-stdin REGISTRY`. */
export async function login(
  { values, rest: [host = ""] }: ParsedArguments,
  surroundings: Surroundings,
): Promise<CommandEnd> {
  const user = values.get("--username")?.at(-1);
  if (user === undefined || !values.has("--password-stdin"))
    throw new UsageError("the stand-in for docker logs in with --username and --password-stdin only");
  if (!isLocalRegistry(host))
    throw new UsageError(
      `the stand-in for docker logs in to registries of the embedded Azure only, and ${host} is none`,
    );
  const password = (await text(process.stdin)).replace(/\r?\n$/, "");
  const auth = Buffer.from(`${user}:${password}`).toString("base64");
  return orDaemonError(async () => {
    await checkLogin(host, { ...accessTo(host, surroundings), auth });
    credentialsOf(surroundings).save(host, auth);
    return { code: 0, stdout: "Login Succeeded\n" };
  });
}

export function logout({ rest: [host = ""] }: ParsedArguments, surroundings: Surroundings): CommandEnd {
  const isRemoved = credentialsOf(surroundings).remove(host);
  return { code: 0, stdout: isRemoved ? `Removing login credentials for ${host}\n` : `Not logged in to ${host}\n` };
}

/** What `docker run` says of an image that is not on the machine; undefined for one that is. */
export function missingImageOf(image: string, vmFolder: string): string | undefined {
  if (!localReferenceOf(image) || new PulledImages(vmFolder).has(image)) return undefined;
  return `Error response from daemon: No such image: ${image}`;
}

const credentialsOf = ({ clientEnvironment, vmFolder }: Surroundings): DockerCredentials =>
  new DockerCredentials(clientEnvironment, vmFolder);

function accessTo(host: string, surroundings: Surroundings): RegistryAccess {
  const caFile = surroundings.clientEnvironment["CORRAL_CA_FILE"];
  return {
    ca: caFile === undefined ? undefined : readFileSync(caFile, "utf8"),
    auth: credentialsOf(surroundings).find(host),
  };
}

async function orDaemonError(act: () => Promise<CommandEnd>): Promise<CommandEnd> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof PullError) return { code: 1, stderr: `Error response from daemon: ${error.message}\n` };
    throw error;
  }
}
