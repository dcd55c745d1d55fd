import { refusalOfImage, refusalOfJob } from "../../../src/domain/admission";
import { organizationRow, sampleJob, sampleOrganization } from "../../support/sample-rows";

const refusal = (job: object, settings: object = {}) =>
  refusalOfJob(sampleJob(job), organizationRow({ settings: sampleOrganization(settings) }));

it.each(["Ready", "Degraded"] as const)("takes a job when the organization is %s", (state) => {
  expect(refusalOfJob(sampleJob(), organizationRow({ state }))).toBeUndefined();
});

it.each(["Registered", "Provisioning", "Failed", "Revoking", "Revoked"] as const)(
  "takes no job when the organization is %s",
  (state) => {
    expect(refusalOfJob(sampleJob(), organizationRow({ state }))).toContain(`org: demo is ${state}`);
  },
);

it.each<[string, object]>([
  ["secrets", { secrets: { A: "a-secret" } }],
  ["secretFiles", { secretFiles: { "/a": "a-secret" } }],
  ["source", { source: { git: "g" } }],
  ["checkpoint", { checkpoint: { path: "/c" } }],
])("refuses %s rather than to ignore it", (field, job) => {
  expect(refusal(job)).toContain(`${field}: not available`);
});

it("takes images of the registries on the list only", () => {
  const settings = { registries: ["ghcr.io", "docker.io"] };

  expect(refusal({ image: "ghcr.io/a/b" }, settings)).toBeUndefined();
  expect(refusal({ image: "ghcr.io.evil.example/a/b" }, settings)).toContain("image: registry ghcr.io.evil.example");
});

it("takes images of the estate's own registry when there is no list", () => {
  const settings = { registries: undefined };

  expect(refusal({ image: "crdemoab12cd.azurecr.io/a" }, settings)).toBeUndefined();
  expect(refusal({ image: "docker.io/library/a" }, settings)).toContain("allowed: crdemoab12cd.azurecr.io");
});

it("asks for a digest when the organization does", () => {
  const settings = { requireDigest: true };

  expect(refusal({ image: "docker.io/library/a:1" }, settings)).toContain("image: must name a digest");
  expect(refusal({ image: `docker.io/library/a@sha256:${"0".repeat(64)}` }, settings)).toBeUndefined();
});

it("takes only locations of the organization", () => {
  const settings = { locations: ["westeurope", "northeurope"] };

  expect(refusal({ locations: ["northeurope"] }, settings)).toBeUndefined();
  expect(refusal({ locations: ["northeurope", "eastus"] }, settings)).toContain("locations: eastus not among");
});

it.each<[string | undefined, object]>([
  [undefined, {}],
  ["ImageWithoutAgent", { machineIdentity: { type: "system-assigned" } }],
  ["NotAvailable", { image: { kind: "vhd", url: "https://a.blob.core.windows.net/i/a.vhd", generation: 2 } }],
])("refuses with %s an organization whose machines could not serve: %j", (code, settings) => {
  expect(refusalOfImage(sampleOrganization(settings))?.code).toBe(code);
});
