import { z } from "zod";
import { OrgName, VolumeName } from "./names";

const guid = z.guid();
const seconds = z.number().min(0);
const location = z.string().regex(/^[a-z0-9]+$/, "must be an Azure location name such as westeurope");
const resourceId = z.string().regex(/^\/subscriptions\/[^/]+\/.+$/i, "must be an Azure resource id");
const cidr = z.string().regex(/^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/, "must be an IPv4 range such as 10.64.0.0/16");

const Image = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("marketplace"),
    publisher: z.string(),
    offer: z.string(),
    sku: z.string(),
    version: z.string(),
  }),
  z.strictObject({ kind: z.literal("vhd"), url: z.url(), generation: z.union([z.literal(1), z.literal(2)]) }),
]);

const MachineIdentity = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("user-assigned"), ids: z.array(resourceId).min(1).optional() }),
  z.strictObject({ type: z.literal("system-assigned") }),
]);

const Idle = z.strictObject({
  beforeFirstJobSeconds: seconds.default(600),
  afterJobSeconds: seconds.default(300),
  gpuUtilizationPercent: z.number().min(0).max(100).default(5),
  windowSeconds: seconds.default(300),
  maxLifetimeHours: z.number().positive().default(168),
  onIdle: z.enum(["delete", "deallocate-then-delete"]).default("delete"),
  deallocatedHours: z.number().positive().default(24),
});

const Limits = z.strictObject({
  queuedJobs: z.number().int().min(0).default(10_000),
  runningJobs: z.number().int().min(0).default(500),
  machines: z.number().int().min(0).default(100),
  gpuHoursPerMonth: z.number().min(0).optional(),
});

/** A customer of the deployment with the settings of its estate (contract 3), every default filled in. */
export const Organization = z.strictObject({
  org: OrgName,
  subscriptionId: guid,
  locations: z.array(location).min(1),
  mode: z.enum(["delegated", "hosted"]).default("delegated"),
  administrators: z.array(guid).min(1),
  addressSpace: cidr.default("10.64.0.0/16"),
  outbound: z.enum(["nat", "firewall", "none"]).default("nat"),
  privateLink: z.enum(["off", "service-endpoints", "private-endpoints"]).default("service-endpoints"),
  allowedIps: z.array(z.string()).default([]),
  hub: z
    .strictObject({
      vnetId: resourceId,
      useRemoteGateways: z.boolean().default(false),
      firewallIp: z.string().optional(),
    })
    .optional(),
  bastion: z.boolean().default(false),
  machineIdentity: MachineIdentity.default({ type: "user-assigned" }),
  image: Image.default({
    kind: "marketplace",
    publisher: "microsoft-dsvm",
    offer: "ubuntu-hpc",
    sku: "2204",
    version: "latest",
  }),
  bring: z
    .strictObject({
      vnetId: resourceId.optional(),
      subnetIds: z.array(resourceId).optional(),
      vaultId: resourceId.optional(),
      registryId: resourceId.optional(),
      dataStorageId: resourceId.optional(),
      imageStorageId: resourceId.optional(),
      applicationInsightsId: resourceId.optional(),
      logAnalyticsId: resourceId.optional(),
    })
    .optional(),
  registries: z.array(z.string().min(1)).optional(),
  requireDigest: z.boolean().default(false),
  queueSubmission: z.boolean().default(false),
  idle: Idle.prefault({}),
  warm: z
    .array(
      z.strictObject({
        vmSize: z.string(),
        location,
        capacity: z.enum(["spot", "on-demand"]),
        min: z.number().int().min(0),
        days: z.string().optional(),
        hours: z.string().optional(),
        timeZone: z.string().optional(),
      }),
    )
    .optional(),
  utilization: z
    .strictObject({ minGpuPercent: z.number(), forMinutes: z.number().positive(), action: z.enum(["report", "end"]) })
    .optional(),
  limits: Limits.prefault({}),
  budget: z
    .strictObject({ monthUsd: z.number().positive(), softPercent: z.number().min(0).max(100).default(80) })
    .optional(),
  maxSweepPercent: z.number().min(1).max(100).default(20),
});
export type Organization = z.infer<typeof Organization>;

export type OrganizationState =
  "Registered" | "Provisioning" | "Ready" | "Failed" | "Degraded" | "Revoking" | "Revoked";

/** POST …/estate:confirm. What only the caller can know: the service has no right to look into the data group. */
export const EstateConfirmation = z.strictObject({
  /** Blob endpoint of the data account, `primaryEndpoints.blob`; without it jobs leave no artefacts. */
  dataBlobEndpoint: z.url().optional(),
  /** The organization's vault, `properties.vaultUri`: where its users keep secrets. The service itself never calls it. */
  vaultUrl: z.url({ protocol: /^https$/ }).optional(),
  volumes: z.array(VolumeName).optional(),
});
export type EstateConfirmation = z.infer<typeof EstateConfirmation>;
