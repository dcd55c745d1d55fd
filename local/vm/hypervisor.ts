/** What the ARM simulator asks of the machines below it, and what they tell it. Any folder of `local/` may import these types. */

/** An identity that a VM may ask tokens for. */
export interface AssignedIdentity {
  readonly kind: "user-assigned" | "system-assigned";
  /** Resource id of a user-assigned identity; the VM's own id for the system-assigned one. */
  readonly resourceId: string;
  readonly clientId: string;
  readonly principalId: string;
}

/** A VM as the hypervisor sees it. */
export interface HostedVm {
  /** ARM resource id. */
  readonly resourceId: string;
  readonly name: string;
  /** The VM's own GUID, `properties.vmId`. */
  readonly vmId: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly location: string;
  readonly zone?: string | undefined;
  readonly vmSize: string;
  readonly priority: "Regular" | "Spot";
  /** As in the VM's PUT: base64. */
  readonly customData?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly identities: readonly AssignedIdentity[];
}

export interface Hypervisor {
  /** Starts the operating system of a VM that was created or started; called once the simulated create latency is over. */
  powerOn(vm: HostedVm): Promise<void>;
  /** Pulls the plug: every process of the VM is ended. `discardDisk` when the VM is deleted, not when it is stopped. */
  powerOff(resourceId: string, options: { readonly discardDisk: boolean }): Promise<void>;
  /** Tells the VM by Scheduled Events that it will be preempted, then resolves; the caller pulls the plug after the notice. */
  announcePreemption(resourceId: string, noticeSeconds: number): Promise<void>;
}

/** Signs tokens as Entra does for a managed identity. */
export interface IdentityTokens {
  issueForIdentity(
    identity: AssignedIdentity,
    audience: string,
  ): Promise<{ readonly accessToken: string; readonly expiresAt: Date }>;
}
