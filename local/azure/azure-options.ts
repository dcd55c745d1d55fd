import type { FaultPlan } from "../faults/fault-plan";
import type { StorageControl } from "../storage/storage-control";
import type { AssignedIdentity, Hypervisor, IdentityTokens } from "../vm/hypervisor";
import type { RoleGrant } from "./arm/authorization/grant-role";
import type { CapacityOptions, QuotaLimit } from "./arm/compute/capacity";
import type { EventGridOptions } from "./arm/event-grid/event-grid-service";
import type { ResourceEvent } from "./arm/resource-events";
import type { FederatedCredential } from "./identity/client-keys";
import type { ApiApplication, NewApplication, NewPerson } from "./identity/directory";

export interface AzureOptions {
  /** Certificates, signing key and state; what is in it survives a restart. */
  readonly dataFolder: string;
  /** How many times faster than Azure operations are. */
  readonly speed: number;
  /** 0: any free port. After a restart the https port must be the same, since operation URLs carry it. */
  readonly ports: { readonly https: number; readonly identity: number; readonly portal: number };
  /** Built after the tokens, since the VMs' metadata services hand them out. */
  readonly hypervisor: (tokens: IdentityTokens) => Hypervisor;
  readonly faults: FaultPlan;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly moreSubscriptionIds?: readonly string[];
  readonly locations: readonly string[];
  /** APIs of the tenant that tokens may be asked for. */
  readonly apis?: readonly ApiApplication[];
  readonly gpuFamilyCores?: CapacityOptions["gpuFamilyCores"];
  readonly quotas?: readonly QuotaLimit[];
  readonly storageBlobEndpoint?: (accountName: string) => string;
  /** The data of storage accounts; without it they have endpoints and nothing behind them. */
  readonly storage?: StorageControl;
  /** Seconds from the Scheduled Event to the plug; agents run in real time, so it is not divided by the speed. */
  readonly evictionNoticeSeconds?: number;
  /** How long Azure does not know a new principal when a role is assigned without its type. */
  readonly principalReplicationMs?: number;
  /** How long a new role assignment does not count. */
  readonly roleReplicationMs?: number;
  /** Off: the headers are sent, and nobody is refused. */
  readonly throttling?: boolean;
  /** Off: operations are answered without `Retry-After`, and clients poll as fast as they like. */
  readonly sendsRetryAfter?: boolean;
  /** Rows that a list answers at once, where that is fewer than in Azure. */
  readonly pageSize?: number;
  readonly clientTokenSeconds?: number;
  /** How long a client is told to wait between two polls of the device code flow; 5 by default. */
  readonly deviceCodeIntervalSeconds?: number;
  readonly random?: () => number;
  /** Where Event Grid finds its destinations; without it webhooks alone are delivered to. */
  readonly eventGrid?: EventGridOptions;
  readonly onEvent?: (event: ResourceEvent) => void;
  readonly onHealthEvent?: (event: ResourceEvent) => void;
  readonly log: (line: string) => void;
}

export interface ServicePrincipal {
  readonly objectId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface AzureSimulator {
  /** `https://localhost:<port>`: ARM_ENDPOINT and ENTRA_AUTHORITY. */
  readonly armUrl: string;
  readonly authorityUrl: string;
  readonly portalUrl: string;
  /** The price list, for anyone; on Azure https://prices.azure.com/api/retail/prices. */
  readonly pricesUrl: string;
  /** For NODE_EXTRA_CA_CERTS, and for clients that take a CA. */
  readonly caFile: string;
  readonly caPem: string;
  /** The environment by which ManagedIdentityCredential finds the app's endpoint. */
  readonly identityEnvironment: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string };
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly tokens: IdentityTokens;
  /** The same display name keeps its ids over restarts and gets a new secret, as only the secret's hash is kept. */
  addServicePrincipal(principal: NewApplication): ServicePrincipal;
  /** A user or a group, who may be given roles. Users sign in without password, on the page or by a device code. */
  addPerson(person: NewPerson): string;
  /** By object ids; groups may be in groups. */
  addGroupMember(groupId: string, memberId: string): void;
  /** Lets an application sign in with a certificate; its SHA-1 thumbprint comes back. */
  registerCertificate(clientId: string, pem: string): string;
  /** Lets the tokens of another issuer stand for an application. */
  registerFederatedCredential(credential: FederatedCredential): void;
  /** Assigns a user-assigned identity to the function app. The same resource id gives the same identity, also after a restart. */
  assignAppIdentity(resourceId: string): AssignedIdentity;
  /** A role assignment that the tenant's administrator made beforehand; the same twice is one. */
  grant(grant: RoleGrant): void;
  allows(question: {
    readonly principalId: string;
    readonly action: string;
    readonly scope: string;
    readonly plane?: "control" | "data";
  }): boolean;
  /** Object id of a token's principal, if the token is good for the data plane of storage. */
  identifyForStorage(authorization: string | undefined): Promise<string | undefined>;
  /** The storage account of that name; undefined when there is none. */
  storageAccount(name: string): { readonly id: string; readonly allowsSharedKey: boolean } | undefined;
  /** The guest shut itself down: the VM is stopped, and still billed. */
  guestStopped(resourceId: string): void;
  calls(): Record<string, number>;
  vmsEverCreated(): number;
  remainingByType(): Record<string, number>;
  close(): Promise<void>;
}
