import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BlobContainer } from "../../../src/agent/blob";
import { AttemptVolumes, VolumeFault } from "../../../src/agent/volumes";
import type { WorkVolume } from "../../../src/contract/agent";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "corral-volumes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const volume: WorkVolume = { name: "data", path: "/data", access: "read-write", url: "https://x/data" };
const { signal } = new AbortController();

/** A container in memory. */
function containerOf(blobs: Record<string, string>): BlobContainer & { readonly uploads: string[] } {
  const uploads: string[] = [];
  return {
    uploads,
    list: () => Promise.resolve(Object.entries(blobs).map(([name, text]) => ({ name, bytes: text.length }))),
    download: (name, path) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, blobs[name] ?? "");
      return Promise.resolve();
    },
    upload: (name) => {
      uploads.push(name);
      return Promise.resolve();
    },
  };
}

function volumesOn(container: BlobContainer): AttemptVolumes {
  return new AttemptVolumes({ folder, openContainer: () => container });
}

it("copies in what the container holds, open to whatever user the job runs as", async () => {
  const volumes = volumesOn(containerOf({ "models/a.bin": "weights" }));

  const [mount] = volumes.prepare([volume]);
  await volumes.copyIn([volume], signal);

  expect(mount).toEqual({ hostPath: join(folder, "data"), containerPath: "/data", readOnly: false });
  expect(readFileSync(join(folder, "data", "models", "a.bin"), "utf8")).toBe("weights");
  expect(statSync(join(folder, "data", "models")).mode & 0o777).toBe(0o777);
});

it("copies out what is new or changed, and follows no link that the job has laid", async () => {
  const container = containerOf({ same: "1", changed: "1" });
  const volumes = volumesOn(container);
  volumes.prepare([volume]);
  await volumes.copyIn([volume], signal);
  writeFileSync(join(folder, "secret"), "the agent's own");

  writeFileSync(join(folder, "data", "changed"), "22");
  mkdirSync(join(folder, "data", "sub"));
  writeFileSync(join(folder, "data", "sub", "new"), "3");
  symlinkSync(join(folder, "secret"), join(folder, "data", "link"));
  symlinkSync(folder, join(folder, "data", "linked-folder"));
  await volumes.copyOut([volume], signal);

  expect(container.uploads.sort()).toEqual(["changed", "sub/new"]);
});

it("copies nothing out of a volume that is for reading", async () => {
  const container = containerOf({});
  const volumes = volumesOn(container);
  volumes.prepare([volume]);
  writeFileSync(join(folder, "data", "new"), "1");

  await volumes.copyOut([{ ...volume, access: "read" }], signal);

  expect(container.uploads).toEqual([]);
});

it.each(["../escape", "/etc/passwd", "a/../../escape", "."])(
  "refuses a blob whose name %s leads out of the volume",
  async (name) => {
    const volumes = volumesOn(containerOf({ [name]: "x" }));
    volumes.prepare([volume]);

    await expect(volumes.copyIn([volume], signal)).rejects.toThrow(VolumeFault);
  },
);

it.each([
  { ...volume, name: "../x" },
  { ...volume, name: "" },
  { ...volume, path: "data" },
  { ...volume, path: "/" },
  { ...volume, path: "/data:ro" },
  { ...volume, path: "/a/../etc" },
])("refuses the volume $name at $path", (refused) => {
  expect(() => volumesOn(containerOf({})).prepare([refused])).toThrow(VolumeFault);
});
