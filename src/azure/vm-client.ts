import type { Organization } from "../contract/organization";
import type { CreateFailure } from "../domain/arm-failure";

/** Where a VM lies. */
export interface VmRef {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly vmName: string;
}

/** Everything a VM is made of; names are decided before the first PUT, so that a crash leaves nothing that cannot be found. */
export interface VmSpec extends VmRef {
  readonly location: string;
  readonly vmSize: string;
  readonly capacity: "spot" | "on-demand";
  readonly image: Organization["image"];
  readonly subnetId: string;
  readonly identityIds: readonly string[];
  readonly osDiskName: string;
  readonly nicName: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Plain text of the boot script. */
  readonly customData: string;
  /** Sent along; Azure's Activity Log shows it. */
  readonly correlationId: string;
}

/** `exists`: a VM of that name is there already and was left as it is. */
export type CreateVmOutcome =
  | { readonly kind: "accepted" }
  | { readonly kind: "exists"; readonly tags: Readonly<Record<string, string>> }
  | { readonly kind: "refused"; readonly failure: CreateFailure };

/** A VM as one list of the subscription shows it. */
export interface VmStatus {
  readonly resourceGroup: string;
  readonly vmName: string;
  readonly provisioning: "creating" | "updating" | "succeeded" | "failed" | "deleting" | "unknown";
  /** When the provisioning state was reached, where Azure says so. */
  readonly provisionedAt?: string;
  /** Azure's code when provisioning failed, such as AllocationFailed. */
  readonly failureCode?: string;
  readonly power?: string;
}

export interface VmFacts {
  readonly provisioningState: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly nicIds: readonly string[];
}

/** A row of the usages API. */
export interface QuotaUsage {
  readonly name: string;
  readonly used: number;
  readonly limit: number;
}

/** VMs of the organizations' subscriptions, with the runtime identity. A refusal by Azure is an outcome; a passing fault throws. */
export interface VmClient {
  create(spec: VmSpec): Promise<CreateVmOutcome>;
  find(ref: VmRef): Promise<VmFacts | undefined>;
  /** Starts the deletion; `gone` when there is nothing to delete. */
  delete(
    ref: VmRef,
    correlationId: string,
  ): Promise<{ readonly kind: "deleting"; readonly retryAfterSeconds: number } | { readonly kind: "gone" }>;
  /** All VMs of a subscription with their states, in one paged list. */
  listStatus(subscriptionId: string): Promise<VmStatus[]>;
  listUsages(subscriptionId: string, location: string): Promise<QuotaUsage[]>;
  diskExists(ref: VmRef, diskName: string): Promise<boolean>;
}

/** Resources by their id, for the types that have no client of their own here. */
export interface ResourceClient {
  exists(resourceId: string, apiVersion: string): Promise<boolean>;
  groupExists(subscriptionId: string, resourceGroup: string): Promise<boolean>;
  /** Object id of a user-assigned identity; undefined when it is not there. */
  findIdentityPrincipal(identityId: string): Promise<string | undefined>;
  delete(resourceId: string, apiVersion: string): Promise<void>;
}
