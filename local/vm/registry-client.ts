import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { RegistryReference } from "./registry-reference";

export interface RegistryAccess {
  /** The certificate authority that the machine trusts besides the public ones. */
  readonly ca: string | undefined;
  /** `user:password` in base64, as `docker login` keeps it. */
  readonly auth: string | undefined;
}

/** What the registry answered instead, in the words of Docker's daemon. */
export class PullError extends Error {
  override readonly name = "PullError";
}

interface Descriptor {
  readonly digest: string;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

interface Manifest {
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

const ACCEPT = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Asks the registry for all of an image, checks each digest, and keeps none of it: containers here are processes of this computer. */
export async function pullImage(image: string, at: RegistryReference, access: RegistryAccess): Promise<string> {
  const client = new RegistryClient(at, access);
  const top = await client.manifest(image, at.reference);
  const chosen = top.manifest.manifests ? await client.manifest(image, platformOf(top.manifest.manifests)) : top;
  const { config, layers = [] } = chosen.manifest;
  for (const { digest } of config ? [config, ...layers] : layers) await client.checkBlob(digest);
  return top.digest;
}

/** `docker login`: are these credentials good for anything here? */
export async function checkLogin(host: string, access: RegistryAccess): Promise<void> {
  await new RegistryClient({ host, repository: "", reference: "" }, access).ping();
}

class RegistryClient {
  private bearer: string | undefined;

  constructor(
    private readonly at: RegistryReference,
    private readonly access: RegistryAccess,
  ) {}

  async ping(): Promise<void> {
    const url = `https://${this.at.host}/v2/`;
    const response = await this.get(url);
    const text = await textOf(response);
    if (response.statusCode !== 200) throw unexpected(`Get "${url}"`, response, text);
  }

  async manifest(image: string, reference: string): Promise<{ readonly manifest: Manifest; readonly digest: string }> {
    const url = `https://${this.at.host}/v2/${this.at.repository}/manifests/${reference}`;
    const response = await this.get(url, { Accept: ACCEPT });
    const text = await textOf(response);
    if (response.statusCode !== 200) throw manifestError(image, `Head "${url}"`, { response, text });
    const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    const promised = reference.includes(":") ? reference : response.headers["docker-content-digest"];
    if (promised !== digest) throw new PullError(`manifest verification failed for digest ${String(promised)}`);
    return { manifest: JSON.parse(text) as Manifest, digest }; // the registry refuses manifests of another form
  }

  async checkBlob(digest: string): Promise<void> {
    const url = `https://${this.at.host}/v2/${this.at.repository}/blobs/${digest}`;
    const response = await this.get(url);
    if (response.statusCode !== 200) throw unexpected(`Get "${url}"`, response, await textOf(response));
    const hash = createHash("sha256");
    for await (const chunk of response as AsyncIterable<Buffer>) hash.update(chunk);
    if (`sha256:${hash.digest("hex")}` !== digest)
      throw new PullError(`filesystem layer verification failed for digest ${digest}`);
  }

  /** With a token that the registry's challenge names, once it has challenged. */
  private async get(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const first = await this.send(url, { ...headers, ...(this.bearer ? { Authorization: this.bearer } : {}) });
    const challenge = first.headers["www-authenticate"];
    if (first.statusCode !== 401 || challenge === undefined) return first;
    const token = await this.tokenFor(challenge);
    if (token === undefined) return first;
    first.resume();
    this.bearer = `Bearer ${token}`;
    return this.send(url, { ...headers, Authorization: this.bearer });
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  private async tokenFor(challenge: string): Promise<string | undefined> {
    const part = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
    const scope = part("scope");
    const query = new URLSearchParams({ service: part("service"), ...(scope === "" ? {} : { scope }) });
    const { auth } = this.access;
    const headers = auth === undefined ? {} : { Authorization: `Basic ${auth}` };
    const response = await this.send(`${part("realm")}?${query.toString()}`, headers);
    const text = await textOf(response);
    if (response.statusCode !== 200) return undefined;
    return (JSON.parse(text) as { access_token?: string }).access_token;
  }

  private send(url: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const { ca } = this.access;
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(url, { headers, agent: false, ...(ca === undefined ? {} : { ca }) }, resolve);
      sent.on("error", (error: NodeJS.ErrnoException) =>
        reject(new PullError(`Get "https://${this.at.host}/v2/": ${networkErrorOf(error, this.at.host)}`)),
      );
      sent.end();
    });
  }
}

/** This computer's containers run on Linux, whatever it is; of several images the one for the usual machines is taken. */
function platformOf(manifests: readonly Descriptor[]): string {
  const chosen = manifests.find(({ platform }) => platform?.os === "linux" && platform.architecture === "amd64");
  if (chosen) return chosen.digest;
  throw new PullError("no matching manifest for linux/amd64 in the manifest list entries");
}

interface Answer {
  readonly response: IncomingMessage;
  readonly text: string;
}

/** As the daemon translates what a registry refuses: https://github.com/moby/moby, distribution/errors.go */
function manifestError(image: string, call: string, { response, text }: Answer): PullError {
  const { code, message } = firstErrorOf(text);
  switch (code) {
    case "MANIFEST_UNKNOWN":
      return new PullError(`manifest for ${image} not found: manifest unknown: ${message}`);
    case "NAME_UNKNOWN":
      return new PullError(`repository ${image} not found: name unknown: ${message}`);
    case "DENIED":
      return new PullError(
        `pull access denied for ${image}, repository does not exist or may require 'docker login': denied: ${message}`,
      );
    default:
      return unexpected(call, response, text);
  }
}

function unexpected(call: string, response: IncomingMessage, text: string): PullError {
  const { code, message } = firstErrorOf(text);
  if (code === "")
    return new PullError(
      `received unexpected HTTP status: ${response.statusCode ?? 0} ${response.statusMessage ?? ""}`,
    );
  const words = `${code.toLowerCase().replaceAll("_", " ")}: ${message}`;
  return new PullError(code === "TOOMANYREQUESTS" ? words : `${call}: ${words}`);
}

function firstErrorOf(text: string): { readonly code: string; readonly message: string } {
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { code?: string; message?: string }[] };
    return { code: errors?.[0]?.code ?? "", message: errors?.[0]?.message ?? "" };
  } catch {
    // A proxy's page, or nothing: the status says the rest.
    return { code: "", message: "" };
  }
}

function networkErrorOf({ code, message }: NodeJS.ErrnoException, host: string): string {
  const port = host.split(":")[1] ?? "";
  return code === "ECONNREFUSED" ? `dial tcp 127.0.0.1:${port}: connect: connection refused` : message;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_MANIFEST_BYTES) throw new PullError("the registry's answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
