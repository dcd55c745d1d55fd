import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth: string }>>;
}

/** Where Docker's client keeps what `docker login` was told: `$DOCKER_CONFIG/config.json`, or below the home folder. */
export class DockerCredentials {
  private readonly folder: string;

  constructor(environment: Environment, vmFolder: string) {
    this.folder = environment["DOCKER_CONFIG"] ?? join(environment["HOME"] ?? vmFolder, ".docker");
  }

  find(host: string): string | undefined {
    return this.read().auths?.[host]?.auth;
  }

  save(host: string, auth: string): void {
    this.write({ ...this.read(), auths: { ...this.read().auths, [host]: { auth } } });
  }

  /** False when there was nothing to remove. */
  remove(host: string): boolean {
    const { [host]: known, ...auths } = this.read().auths ?? {};
    this.write({ ...this.read(), auths });
    return known !== undefined;
  }

  private read(): DockerConfig {
    const file = join(this.folder, "config.json");
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as DockerConfig) : {};
  }

  private write(config: DockerConfig): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  }
}

/** Which images a VM has on its disk: what it has once pulled it keeps over reboots. */
export class PulledImages {
  private readonly folder: string;

  constructor(vmFolder: string) {
    this.folder = join(vmFolder, "images");
  }

  has(image: string): boolean {
    return existsSync(this.fileOf(image));
  }

  add(image: string, digest: string): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.fileOf(image), JSON.stringify({ image, digest }));
  }

  private fileOf(image: string): string {
    return join(this.folder, createHash("sha256").update(image).digest("hex"));
  }
}
