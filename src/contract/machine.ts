/** A GPU VM under management, as the API shows it (contract 5). */
export type MachineState =
  | "Creating"
  | "Booting"
  | "Idle"
  | "Leased"
  | "Draining"
  | "Deallocated"
  | "Deleting"
  | "Deleted"
  | "Failed"
  | "Evicted";

/** A machine's promise to one attempt. */
export interface Lease {
  readonly jobId: string;
  readonly attempt: number;
  readonly bootId: string;
}

export interface MachineView {
  readonly machineId: string;
  readonly state: MachineState;
  readonly vmSize: string;
  readonly location: string;
  readonly zone?: string;
  readonly capacity: "spot" | "on-demand";
  readonly lease?: Lease;
  readonly idleSince?: string;
  readonly lastHeartbeatAt?: string;
  readonly gpuUtilizationPercent?: number;
  readonly pricePerHour: number;
  readonly costUsd: number;
}

/** GET …/ledger: accepted = sum(terminal) + live, or `differences` says where not. */
export interface Ledger {
  readonly accepted: number;
  readonly terminal: {
    readonly Succeeded: number;
    readonly Failed: number;
    readonly Cancelled: number;
    readonly Expired: number;
  };
  readonly live: number;
  readonly differences: readonly string[];
}
