import type { Job } from "../contract/job";
import type { Organization, OrganizationState } from "../contract/organization";
import { registryOf } from "./estate-names";

/** What admission reads of an organization. */
export interface AdmittingOrganization {
  readonly settings: Organization;
  readonly state: OrganizationState;
  readonly suffix: string;
}

const TAKES_JOBS: ReadonlySet<OrganizationState> = new Set(["Ready", "Degraded"]);

/** Fields whose promise this version cannot keep yet: better refused than silently ignored. */
const UNSUPPORTED = ["secrets", "secretFiles", "source", "checkpoint"] as const;

/** Why the organization does not take this job, with the field or the setting that says so; undefined when it does. */
export function refusalOfJob(job: Job, organization: AdmittingOrganization): string | undefined {
  const { settings, state, suffix } = organization;
  if (!TAKES_JOBS.has(state)) return `org: ${job.org} is ${state} and takes jobs only when it is Ready or Degraded`;
  const unsupported = UNSUPPORTED.find((field) => job[field] !== undefined);
  if (unsupported !== undefined) return `${unsupported}: not available in this version of Corral`;
  const registry = job.image.slice(0, job.image.indexOf("/"));
  const allowed = settings.registries ?? [registryOf(job.org, suffix)];
  if (!allowed.includes(registry)) return `image: registry ${registry} is not allowed; allowed: ${allowed.join(", ")}`;
  if (settings.requireDigest && !job.image.includes("@sha256:"))
    return "image: must name a digest (@sha256:…), the organization requires it";
  const foreign = job.locations?.filter((location) => !settings.locations.includes(location)) ?? [];
  if (foreign.length > 0)
    return `locations: ${foreign.join(", ")} not among the organization's ${settings.locations.join(", ")}`;
  return undefined;
}

/** Why machines of the organization could never serve; undefined when they can. */
export function refusalOfImage({
  image,
  machineIdentity,
}: Organization): { code: string; message: string } | undefined {
  if (image.kind === "vhd") {
    return {
      code: "NotAvailable",
      message: "image: an image from a VHD needs the estate's gallery, which this version does not make yet",
    };
  }
  if (machineIdentity.type === "user-assigned") return undefined;
  // A system-assigned identity has no right to the image account that Node and the agent come from.
  const needed = "needs an image that holds Node and the agent, and a marketplace image does not";
  return { code: "ImageWithoutAgent", message: `image: a system-assigned machineIdentity ${needed}` };
}
