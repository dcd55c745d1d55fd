import type { RoleAssignment, RoleDefinition } from "@azure/arm-authorization";
import type { Disk, Gallery, GalleryImage, GalleryImageVersion, VirtualMachine } from "@azure/arm-compute";
import type { Registry } from "@azure/arm-containerregistry";
import type { EventSubscription, SystemTopic, Topic } from "@azure/arm-eventgrid";
import type { Key, Vault } from "@azure/arm-keyvault";
import type { Identity } from "@azure/arm-msi";
import type {
  NatGateway,
  NetworkInterface,
  NetworkSecurityGroup,
  PrivateEndpoint,
  PublicIPAddress,
  Subnet,
  VirtualNetwork,
} from "@azure/arm-network";
import type { ResourceGroup } from "@azure/arm-resources";
import type { DeploymentExtended } from "@azure/arm-resourcesdeployments";
import type { BlobContainer, BlobServiceProperties, StorageAccount } from "@azure/arm-storage";

/** What the clients say a GET of each type answers. Read as types only: model-check.ts asks the compiler what is required. */
export interface SdkModels {
  readonly "Microsoft.Authorization/roleAssignments": RoleAssignment;
  readonly "Microsoft.Authorization/roleDefinitions": RoleDefinition;
  readonly "Microsoft.Compute/disks": Disk;
  readonly "Microsoft.Compute/galleries": Gallery;
  readonly "Microsoft.Compute/galleries/images": GalleryImage;
  readonly "Microsoft.Compute/galleries/images/versions": GalleryImageVersion;
  readonly "Microsoft.Compute/virtualMachines": VirtualMachine;
  readonly "Microsoft.ContainerRegistry/registries": Registry;
  readonly "Microsoft.EventGrid/systemTopics": SystemTopic;
  readonly "Microsoft.EventGrid/systemTopics/eventSubscriptions": EventSubscription;
  readonly "Microsoft.EventGrid/topics": Topic;
  readonly "Microsoft.KeyVault/vaults": Vault;
  readonly "Microsoft.KeyVault/vaults/keys": Key;
  readonly "Microsoft.ManagedIdentity/userAssignedIdentities": Identity;
  readonly "Microsoft.Network/natGateways": NatGateway;
  readonly "Microsoft.Network/networkInterfaces": NetworkInterface;
  readonly "Microsoft.Network/networkSecurityGroups": NetworkSecurityGroup;
  readonly "Microsoft.Network/privateEndpoints": PrivateEndpoint;
  readonly "Microsoft.Network/publicIPAddresses": PublicIPAddress;
  readonly "Microsoft.Network/virtualNetworks": VirtualNetwork;
  readonly "Microsoft.Network/virtualNetworks/subnets": Subnet;
  readonly "Microsoft.Resources/deployments": DeploymentExtended;
  readonly "Microsoft.Resources/resourceGroups": ResourceGroup;
  readonly "Microsoft.Storage/storageAccounts": StorageAccount;
  readonly "Microsoft.Storage/storageAccounts/blobServices": BlobServiceProperties;
  readonly "Microsoft.Storage/storageAccounts/blobServices/containers": BlobContainer;
}
