import { retryAfterMsOf, waitMsOf } from "../../../src/agent/backoff";
import { blobsOf } from "../../../src/agent/blob";
import { runArguments } from "../../../src/agent/docker";
import { outcomeOf, pullFailureOf, startFailureOf } from "../../../src/agent/outcome";
import { highestOf } from "../../../src/agent/probes";

const end = { exitCode: 1, oomKilled: false, error: "", logTail: "" };

it.each([
  { given: { ...end, exitCode: 0 }, outcome: "Succeeded" },
  { given: { ...end, exitCode: 3 }, outcome: "Failed" },
  { given: { ...end, exitCode: 137, oomKilled: true }, outcome: "OutOfMemory" },
  { given: { ...end, exitCode: 137 }, outcome: "Failed" },
  { given: { ...end, logTail: "write failed: No space left on device" }, outcome: "DiskFull" },
  { given: { ...end, exitCode: 0, logTail: "No space left on device" }, outcome: "Succeeded" },
])("calls $given $outcome", ({ given, outcome }) => {
  expect(outcomeOf(given).outcome).toBe(outcome);
});

it.each([
  { text: "manifest for a/b:c not found: manifest unknown: manifest unknown", outcome: "ImageError", mayPass: false },
  {
    text: "pull access denied for x, repository does not exist or may require 'docker login'",
    outcome: "ImageError",
    mayPass: false,
  },
  { text: "unauthorized: authentication required", outcome: "ImageError", mayPass: false },
  { text: "invalid reference format", outcome: "ImageError", mayPass: false },
  {
    text: "toomanyrequests: You have reached your unauthenticated pull rate limit",
    outcome: "ImageError",
    mayPass: true,
  },
  { text: "net/http: TLS handshake timeout", outcome: "ImageError", mayPass: true },
  { text: "received unexpected HTTP status: 503 Service Unavailable", outcome: "ImageError", mayPass: true },
  { text: "failed to register layer: no space left on device", outcome: "DiskFull", mayPass: false },
])("a pull that says '$text' is $outcome, may pass: $mayPass", ({ text, outcome, mayPass }) => {
  expect(pullFailureOf(text)).toEqual({ outcome, mayPass });
});

it("calls an image without a command an error of the image", () => {
  expect(startFailureOf(125, "docker: Error response from daemon: no command specified").outcome).toBe("ImageError");
});

it("waits with full jitter up to a doubling limit, and never less than Retry-After", () => {
  expect(waitMsOf({ failures: 3, baseMs: 100 }, () => 0)).toBe(0);
  expect(waitMsOf({ failures: 3, baseMs: 100 }, () => 1)).toBe(800);
  expect(waitMsOf({ failures: 99, baseMs: 100 }, () => 1)).toBe(60_000);
  expect(waitMsOf({ failures: 0, baseMs: 100, retryAfterMs: 5000 }, () => 0)).toBe(5000);
});

it.each([
  { header: "2", ms: 2000 },
  { header: "Thu, 01 Jan 1970 00:00:10 GMT", ms: 9000 },
  { header: "999999", ms: 300_000 },
  { header: "soon", ms: undefined },
  { header: null, ms: undefined },
])("reads Retry-After $header as $ms ms", ({ header, ms }) => {
  expect(retryAfterMsOf(header, 1000)).toBe(ms);
});

it.each([
  { text: "12\n97\n", percent: 97 },
  { text: "[N/A]\n5\n", percent: 5 },
  { text: "no devices", percent: undefined },
])("takes $percent from nvidia-smi's '$text'", ({ text, percent }) => {
  expect(highestOf(text)).toBe(percent);
});

it("hands variables to the container by name, and those that Docker's client obeys by a file", () => {
  const env = { API_KEY: "k", LD_PRELOAD: "/data/x.so", docker_config: "/data", https_proxy: "http://p" };
  const spec = { name: "c", image: "i", command: ["run", "--rm"], env, gpus: 2, mounts: [], identity: "none" } as const;

  const { args, inherited, fileText } = runArguments(spec, "/state/container.env");

  expect(args.join(" ")).toContain("--network bridge");
  expect(args.join(" ")).toContain("--gpus 2 --env-file /state/container.env -e API_KEY i run --rm");
  expect(inherited).toEqual({ API_KEY: "k" });
  expect(fileText).toBe("LD_PRELOAD=/data/x.so\ndocker_config=/data\nhttps_proxy=http://p\n");
});

it("puts only jobs with the machine's identity on the network that reaches the metadata service", () => {
  const spec = { name: "c", image: "i", command: [], env: {}, gpus: 0, mounts: [], identity: "machine" } as const;

  expect(runArguments(spec, "f").args.join(" ")).toContain("--network corral-identity");
});

it("reads blob names as storage lists them", () => {
  const page =
    "<Blobs><Blob><Name>a &amp; b/c.txt</Name><Properties><Content-Length>3</Content-Length></Properties></Blob>" +
    "<Blob><Name>folder</Name><Properties><ResourceType>directory</ResourceType></Properties></Blob></Blobs>";

  expect(blobsOf(page)).toEqual([{ name: "a & b/c.txt", bytes: 3 }]);
});
