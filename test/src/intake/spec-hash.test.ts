import { createHash } from "node:crypto";
import fc from "fast-check";
import { Job } from "../../../src/contract/job";
import { specHashOf } from "../../../src/intake/spec-hash";
import { sampleJob } from "../../support/sample-rows";

it("is the SHA-256 of the RFC 8785 form, written out here by hand", () => {
  const canonical =
    '{"capacity":"spot-then-on-demand","gpus":1,"identity":"none","image":"docker.io/library/node:24","jobId":"j1",' +
    '"maxDurationMinutes":0.5,"org":"demo","priority":0,"queueDeadlineMinutes":1440,' +
    '"retry":{"boots":3,"evictions":10,"failures":0},"volumes":[{"access":"read-write","name":"artifacts","path":"/data"}]}';

  expect(specHashOf(sampleJob({ maxDurationMinutes: 0.5 }))).toBe(createHash("sha256").update(canonical).digest("hex"));
});

it("does not depend on the order of keys", () => {
  const fields = { priority: 3, env: { B: "2", A: "1" }, retry: { boots: 1, failures: 2 } };
  const turned = { retry: { failures: 2, boots: 1 }, env: { A: "1", B: "2" }, priority: 3 };

  expect(specHashOf(sampleJob(turned))).toBe(specHashOf(sampleJob(fields)));
});

it("is the same whether a default is left out or written down", () => {
  const explicit = { gpus: 1, retry: { evictions: 10 }, volumes: [{ name: "artifacts", path: "/data" }], priority: 0 };

  expect(specHashOf(sampleJob(explicit))).toBe(specHashOf(sampleJob()));
});

it("takes sets for sets, and lists for lists", () => {
  const one = sampleJob({ gpuTypes: ["T4", "A100"], vmSizes: ["b", "a"], locations: ["y", "x"], command: ["a", "b"] });
  const same = sampleJob({
    gpuTypes: ["A100", "T4", "T4"],
    vmSizes: ["a", "b"],
    locations: ["x", "y"],
    command: ["a", "b"],
  });
  const other = sampleJob({
    gpuTypes: ["T4", "A100"],
    vmSizes: ["b", "a"],
    locations: ["y", "x"],
    command: ["b", "a"],
  });

  expect(specHashOf(same)).toBe(specHashOf(one));
  expect(specHashOf(other)).not.toBe(specHashOf(one));
});

it("does not change the job", () => {
  const job = sampleJob({ gpuTypes: ["T4", "A100"] });
  specHashOf(job);

  expect(job.gpuTypes).toEqual(["T4", "A100"]);
});

it("differs when anything differs that is not a matter of order", () => {
  const env = fc.dictionary(fc.stringMatching(/^[A-Z]{1,3}$/), fc.string({ unit: "grapheme", maxLength: 5 }), {
    maxKeys: 3,
  });

  fc.assert(
    fc.property(env, env, (left, right) => {
      const [one, other] = [Job.parse(sampleJob({ env: left })), Job.parse(sampleJob({ env: right }))];
      const isSame = JSON.stringify(Object.entries(left).sort()) === JSON.stringify(Object.entries(right).sort());

      expect(specHashOf(one) === specHashOf(other)).toBe(isSame);
    }),
  );
});
