import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { isAbsolute, join, normalize, relative, resolve, sep } from "node:path";
import type { Work, WorkVolume } from "../contract/agent";
import type { BlobContainer } from "./blob";
import type { Mount } from "./docker";

/** A copy that failed for good; the attempt ends as VolumeError. */
export class VolumeFault extends Error {
  override readonly name = "VolumeFault";
}

/** What the service keeps in a volume beside the jobs' own files, such as logs: never copied to a machine, never written by a job. */
const RESERVED = ".corral/";

export interface VolumesOptions {
  /** Holds one folder for each volume of the attempt. */
  readonly folder: string;
  readonly openContainer: (url: string) => BlobContainer;
}

/** The volumes of one attempt: folders of the machine, filled from and saved to blob containers where they have one. */
export class AttemptVolumes {
  /** What came from the container, so that unchanged files are not sent back. */
  private readonly copiedIn = new Map<string, string>();

  constructor(private readonly options: VolumesOptions) {}

  /** Makes the folders; refuses names and paths that would mean something else in an argument of Docker. */
  prepare(volumes: readonly WorkVolume[]): Mount[] {
    return volumes.map(({ name, path, access }) => {
      if (!/^[a-z0-9][a-z0-9._-]*$/i.test(name)) throw new VolumeFault(`volume name ${name} is not allowed`);
      const plain = path.startsWith("/") && path !== "/" && !/[:\0]/.test(path) && normalize(path) === path;
      if (!plain) throw new VolumeFault(`volume ${name}: path ${path} is not a plain absolute path`);
      const hostPath = this.folderOf(name);
      mkdirSync(hostPath, { recursive: true });
      // Without capabilities even root in a container may write only where anybody may.
      chmodSync(hostPath, 0o777);
      return { hostPath, containerPath: path, readOnly: access === "read" };
    });
  }

  async copyIn(volumes: readonly WorkVolume[], signal: AbortSignal): Promise<void> {
    for (const { name, url } of volumes) {
      if (!url) continue;
      await translated(`volume ${name}: copy in`, async () => {
        const container = this.options.openContainer(url);
        for (const blob of await container.list(signal)) {
          if (blob.name.startsWith(RESERVED)) continue;
          const path = within(this.folderOf(name), blob.name);
          await container.download(blob.name, path, signal);
          // Folders and files that the agent made as root must be open to the job's user.
          openToAll(this.folderOf(name), path);
          this.copiedIn.set(path, stampOf(path));
        }
      });
    }
  }

  /** Called when the container has ended, so nothing changes underneath. Files that the job deleted stay in the container. */
  async copyOut(volumes: readonly WorkVolume[], signal: AbortSignal): Promise<void> {
    for (const { name, url, access } of volumes) {
      if (!url || access === "read") continue;
      await translated(`volume ${name}: copy out`, async () => {
        const container = this.options.openContainer(url);
        const folder = this.folderOf(name);
        for (const path of plainFilesIn(folder)) {
          if (this.copiedIn.get(path) === stampOf(path)) continue;
          const blobName = relative(folder, path).split(sep).join("/");
          if (blobName.startsWith(RESERVED)) continue;
          await container.upload(blobName, { path, bytes: lstatSync(path).size }, signal);
        }
      });
    }
  }

  remove(): void {
    rmSync(this.options.folder, { recursive: true, force: true });
  }

  private folderOf(name: string): string {
    return join(this.options.folder, name);
  }
}

export async function uploadLog(
  container: BlobContainer,
  { work, path }: { readonly work: Work; readonly path: string },
  signal: AbortSignal,
): Promise<void> {
  await container.upload(`${work.jobId}-${work.attempt}.log`, { path, bytes: lstatSync(path).size }, signal);
}

async function translated(what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof VolumeFault) throw error;
    throw new VolumeFault(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A blob may have any name, also one that leads out of the folder. */
function within(folder: string, name: string): string {
  const path = resolve(folder, name);
  if (isAbsolute(name) || !path.startsWith(folder + sep))
    throw new VolumeFault(`blob name ${name} leads out of its volume`);
  return path;
}

function openToAll(folder: string, path: string): void {
  chmodSync(path, 0o666);
  for (let parent = resolve(path, ".."); parent !== folder; parent = resolve(parent, "..")) chmodSync(parent, 0o777);
}

function stampOf(path: string): string {
  const { size, mtimeMs } = lstatSync(path);
  return `${size} ${mtimeMs}`;
}

/** Symbolic links are left out: the job chose where they lead, and the agent reads as root. */
function plainFilesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return plainFilesIn(path);
    return entry.isFile() ? [path] : [];
  });
}
