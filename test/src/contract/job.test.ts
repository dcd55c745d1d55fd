import fc from "fast-check";
import { describeFieldErrors, fieldErrorsOf } from "../../../src/contract/field-errors";
import { Job, JobPointer } from "../../../src/contract/job";

const minimal = { org: "demo", jobId: "j1", image: "ghcr.io/acme/train:1" };

function complaintsAbout(fields: object): string[] {
  const parsed = Job.safeParse({ ...minimal, ...fields });
  return parsed.success ? [] : fieldErrorsOf(parsed.error).map(({ field }) => field);
}

it("fills in every default", () => {
  expect(Job.parse(minimal)).toEqual({
    ...minimal,
    gpus: 1,
    capacity: "spot-then-on-demand",
    maxDurationMinutes: 1440,
    queueDeadlineMinutes: 1440,
    retry: { failures: 0, evictions: 10, boots: 3 },
    volumes: [{ name: "artifacts", path: "/data", access: "read-write" }],
    priority: 0,
    identity: "none",
  });
});

it("fills in the rest of what is given in part", () => {
  const job = Job.parse({
    ...minimal,
    retry: { failures: 2 },
    volumes: [{ name: "set", path: "/in" }],
    checkpoint: { path: "/c" },
  });

  expect(job.retry).toEqual({ failures: 2, evictions: 10, boots: 3 });
  expect(job.volumes).toEqual([{ name: "set", path: "/in", access: "read-write" }]);
  expect(job.checkpoint).toEqual({ path: "/c", intervalSeconds: 300, graceSeconds: 20 });
});

it.each<[string, object]>([
  ["org", { org: "Demo" }],
  ["jobId", { jobId: "a..b" }],
  ["image", { image: "ubuntu" }],
  ["command", { command: [] }],
  ["command.0", { command: [1] }],
  ["env.1X", { env: { "1X": "a" } }],
  ["env.A", { env: { A: 1 } }],
  ["env", { env: { A: "x".repeat(65_536) } }],
  ["secrets.A", { secrets: { A: "Not A Slug" } }],
  ["secretFiles.relative", { secretFiles: { relative: "a-secret" } }],
  ["source.git", { source: { git: "" } }],
  ["source.depth", { source: { git: "g", depth: 1 } }],
  ["gpus", { gpus: -1 }],
  ["gpus", { gpus: 1.5 }],
  ["gpuTypes.0", { gpuTypes: ["RTX"] }],
  ["gpuTypes", { gpuTypes: [] }],
  ["vmSizes.0", { vmSizes: ["Standard NC4"] }],
  ["locations.0", { locations: ["West Europe"] }],
  ["capacity", { capacity: "cheap" }],
  ["maxPricePerHour", { maxPricePerHour: 0 }],
  ["maxDurationMinutes", { maxDurationMinutes: 0 }],
  ["maxDurationMinutes", { maxDurationMinutes: 43_201 }],
  ["queueDeadlineMinutes", { queueDeadlineMinutes: -1 }],
  ["retry.failures", { retry: { failures: -1 } }],
  ["retry.tries", { retry: { tries: 1 } }],
  ["volumes.0.name", { volumes: [{ name: "a--b", path: "/x" }] }],
  ["volumes.0.path", { volumes: [{ name: "data", path: "x" }] }],
  ["volumes.0.access", { volumes: [{ name: "data", path: "/x", access: "write" }] }],
  ["volumes.0.mode", { volumes: [{ name: "data", path: "/x", mode: 7 }] }],
  ["checkpoint.path", { checkpoint: { path: "c" } }],
  ["checkpoint.intervalSeconds", { checkpoint: { path: "/c", intervalSeconds: 0 } }],
  ["priority", { priority: 101 }],
  ["identity", { identity: "user" }],
  ["tags.team", { tags: { team: 1 } }],
  ["gpu", { gpu: 1 }],
])("names %s when it refuses %j", (field, fields) => {
  expect(complaintsAbout(fields)).toContain(field);
});

function allComplaints(value: unknown): string {
  const { error } = Job.safeParse(value);
  return error ? describeFieldErrors(fieldErrorsOf(error)) : "";
}

it("calls a field that it does not know unknown, and the whole body (body)", () => {
  expect(allComplaints({ ...minimal, gpu: 1, retry: { tries: 1 } })).toBe(
    "retry.tries: unknown field; gpu: unknown field",
  );
  expect(allComplaints([])).toMatch(/^\(body\): /);
});

it("makes at most twenty complaints, so that they stay readable", () => {
  const env = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${index}`, "x"]));

  expect(allComplaints({ ...minimal, env }).split("; ")).toHaveLength(20);
});

it("takes 64 KB of environment in all, and not a byte more", () => {
  const overhead = JSON.stringify({ A: "" }).length;
  const fits = "x".repeat(64 * 1024 - overhead);

  expect(complaintsAbout({ env: { A: fits } })).toEqual([]);
  expect(complaintsAbout({ env: { A: `${fits}x` } })).toEqual(["env"]);
  expect(complaintsAbout({ env: { A: "\u00e4".repeat(33_000) } })).toEqual(["env"]);
});

it.each([
  ["docker.io/library/node:24", true],
  ["ghcr.io/a/b", true],
  ["crdemoab12cd.azurecr.io/train@sha256:" + "0".repeat(64), true],
  ["registry:5000/a:tag", true],
  ["10.0.0.4:5000/a", true],
  ["localhost/a", true],
  ["library/node:24", false],
  ["node", false],
  ["docker.io", false],
  ["docker.io/", false],
  ["docker.io/Node", false],
  ["docker.io/a b", false],
  ["docker.io/a@sha256:123", false],
  ["https://docker.io/a", false],
  ["docker.io/../a", false],
  ["docker..io/a", false],
  ["-v.example/a", false],
  ["--privileged:1/a", false],
  ["docker.io/a --privileged", false],
  ["docker.io/a\n", false],
])("takes the image %j: %s", (image, expected) => {
  expect(complaintsAbout({ image })).toEqual(expected ? [] : ["image"]);
});

it("accepts no image without a registry, whatever it looks like", () => {
  const word = fc.stringMatching(/^[a-z0-9.:_/@-]{1,30}$/);

  fc.assert(
    fc.property(word, (image) => {
      const registry = image.split("/")[0] ?? "";
      const hasRegistry = image.includes("/") && (/[.:]/.test(registry) || registry === "localhost");

      expect(complaintsAbout({ image }).length === 0 && !hasRegistry).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

it("accepts what it has filled in, and leaves it as it is", () => {
  const job = Job.parse({ ...minimal, checkpoint: { path: "/c" }, retry: {} });

  expect(Job.parse(job)).toEqual(job);
});

it.each([
  [{ org: "demo", jobId: "j1", specHash: "a".repeat(64) }, true],
  [{ org: "demo", jobId: "j1", specHash: "A".repeat(64) }, false],
  [{ org: "demo", jobId: "j1", specHash: "a".repeat(63) }, false],
  [{ org: "demo", jobId: "j1", specHash: "a".repeat(64), extra: 1 }, false],
])("takes %j as a pointer: %s", (pointer, expected) => {
  expect(JobPointer.safeParse(pointer).success).toBe(expected);
});
