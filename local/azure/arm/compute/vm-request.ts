import { z } from "zod";
import { ArmError } from "../arm-error";
import { invalidParameter } from "../arm-errors";
import { enumOf } from "../enum-of";
import { parseBody } from "../parse-body";
import { withoutNulls } from "../without-nulls";

/** The body of a VM's PUT. Objects are strict where the simulator interprets them: Azure refuses members that it does not know. */
const reference = z.looseObject({ id: z.string() });
const anything = z.unknown().optional();
const deleteOption = enumOf(["Delete", "Detach"]).optional();

const managedDisk = z.strictObject({
  id: z.string().optional(),
  storageAccountType: z.string().optional(),
  diskEncryptionSet: anything,
  securityProfile: anything,
});

const disk = {
  name: z.string().optional(),
  createOption: enumOf(["FromImage", "Empty", "Attach", "Copy", "Restore"]),
  caching: enumOf(["None", "ReadOnly", "ReadWrite"]).optional(),
  writeAcceleratorEnabled: anything,
  diskSizeGB: z.number().int().positive().optional(),
  managedDisk: managedDisk.optional(),
  deleteOption,
};

const storageProfile = z.strictObject({
  imageReference: z
    .strictObject({
      id: z.string().optional(),
      publisher: z.string().optional(),
      offer: z.string().optional(),
      sku: z.string().optional(),
      version: z.string().optional(),
      exactVersion: z.string().optional(),
      sharedGalleryImageId: z.string().optional(),
      communityGalleryImageId: z.string().optional(),
    })
    .optional(),
  osDisk: z
    .strictObject({
      ...disk,
      osType: enumOf(["Linux", "Windows"]).optional(),
      encryptionSettings: anything,
      vhd: anything,
      image: anything,
      diffDiskSettings: anything,
    })
    .optional(),
  dataDisks: z.array(z.looseObject({ ...disk, lun: z.number().int().min(0) })).optional(),
  diskControllerType: z.string().optional(),
  alignRegionalDisksToVMZone: z.boolean().optional(),
});

const nicConfiguration = z.strictObject({
  name: z.string().min(1),
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.looseObject({
    primary: z.boolean().optional(),
    deleteOption,
    networkSecurityGroup: reference.optional(),
    enableAcceleratedNetworking: z.boolean().optional(),
    ipConfigurations: z
      .array(
        z.looseObject({
          name: z.string(),
          properties: z.looseObject({ subnet: reference.optional(), primary: z.boolean().optional() }).optional(),
        }),
      )
      .min(1),
  }),
});

const networkProfile = z.strictObject({
  networkInterfaces: z
    .array(
      z.strictObject({
        id: z.string(),
        properties: z.strictObject({ primary: z.boolean().optional(), deleteOption }).optional(),
      }),
    )
    .optional(),
  networkApiVersion: z.string().optional(),
  networkInterfaceConfigurations: z.array(nicConfiguration).optional(),
  interconnectGroupProfile: anything,
});

const osProfile = z.strictObject({
  computerName: z.string().optional(),
  adminUsername: z.string().optional(),
  adminPassword: z.string().optional(),
  customData: z.string().optional(),
  windowsConfiguration: anything,
  linuxConfiguration: z
    .looseObject({
      disablePasswordAuthentication: z.boolean().optional(),
      ssh: z.looseObject({ publicKeys: z.array(z.unknown()).optional() }).optional(),
    })
    .optional(),
  secrets: z.array(z.unknown()).optional(),
  allowExtensionOperations: z.boolean().optional(),
  requireGuestProvisionSignal: z.boolean().optional(),
});

/** Members that are kept and given back as they came. */
export const KEPT_AS_GIVEN = [
  "scheduledEventsPolicy",
  "additionalCapabilities",
  "securityProfile",
  "diagnosticsProfile",
  "availabilitySet",
  "virtualMachineScaleSet",
  "proximityPlacementGroup",
  "host",
  "hostGroup",
  "licenseType",
  "extensionsTimeBudget",
  "platformFaultDomain",
  "scheduledEventsProfile",
  "capacityReservation",
  "interconnectBlockProfile",
  "applicationProfile",
  "resiliencyProfile",
] as const;

const READ_ONLY = ["provisioningState", "instanceView", "vmId", "timeCreated"] as const;
const optional = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, anything]));

const vmProperties = z.strictObject({
  ...optional([...KEPT_AS_GIVEN, ...READ_ONLY, "userData"]),
  hardwareProfile: z
    .strictObject({ vmSize: z.string().optional(), vmSizeProperties: anything, processorMode: anything })
    .optional(),
  storageProfile: storageProfile.optional(),
  osProfile: osProfile.optional(),
  networkProfile: networkProfile.optional(),
  priority: enumOf(["Regular", "Low", "Spot"]).optional(),
  evictionPolicy: enumOf(["Deallocate", "Delete"]).optional(),
  billingProfile: z.strictObject({ maxPrice: z.number().optional() }).optional(),
});

const identity = z.strictObject({
  type: enumOf([
    "None",
    "SystemAssigned",
    "UserAssigned",
    "SystemAssigned, UserAssigned",
    "SystemAssigned,UserAssigned",
  ]),
  userAssignedIdentities: z.record(z.string(), z.looseObject({}).nullable()).optional(),
  principalId: anything,
  tenantId: anything,
});

const tags = z.record(z.string().max(512), z.string().max(256));

const VmRequest = z.strictObject({
  ...optional(["id", "name", "type", "etag", "resources", "systemData", "managedBy", "extendedLocation", "placement"]),
  plan: anything,
  location: z.string().optional(),
  tags: tags.optional(),
  zones: z
    .array(enumOf(["1", "2", "3"]))
    .max(1)
    .optional(),
  identity: identity.optional(),
  properties: vmProperties.optional(),
});
export type VmRequest = z.infer<typeof VmRequest>;

const VmPatch = z.strictObject({
  ...optional(["plan", "placement"]),
  tags: tags.optional(),
  identity: identity.optional(),
  zones: z.array(enumOf(["1", "2", "3"])).optional(),
  properties: vmProperties.optional(),
});
export type VmPatch = z.infer<typeof VmPatch>;

// Azure's limit for the base64 text.
const MAX_CUSTOM_DATA = 87_380;
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

export function parseVmRequest(body: unknown): VmRequest {
  const request = parseBody(VmRequest, withoutNulls(body));
  checkCustomData(request.properties?.osProfile?.customData);
  checkSpot(request);
  return request;
}

export const parseVmPatch = (body: unknown): VmPatch => parseBody(VmPatch, body);

function checkCustomData(customData: string | undefined): void {
  if (customData === undefined || (customData.length <= MAX_CUSTOM_DATA && BASE64.test(customData))) return;
  throw invalidParameter(
    "customData",
    `Custom data in OSProfile must be in Base64 encoding and with a maximum length of ${MAX_CUSTOM_DATA} characters.`,
  );
}

function checkSpot({ properties }: VmRequest): void {
  const isSpot = properties?.priority === "Spot" || properties?.priority === "Low";
  if (isSpot || !(properties?.evictionPolicy ?? properties?.billingProfile)) return;
  throw new ArmError(409, {
    code: "OperationNotAllowed",
    message:
      "Eviction policy and max price can be set only on Azure Spot Virtual Machines. For more information, see http://aka.ms/AzureSpot/errormessages.",
  });
}

/** What a new VM must have; an update may leave it out. */
export function checkCreate({ properties }: VmRequest): void {
  const required = (name: string, value: unknown): void => {
    if (value === undefined) throw invalidParameter(name, `Required parameter '${name}' is missing (null).`);
  };
  required("vmSize", properties?.hardwareProfile?.vmSize);
  required("networkProfile", properties?.networkProfile);
  required("storageProfile", properties?.storageProfile);
  if (properties?.networkProfile?.networkInterfaceConfigurations)
    required("networkProfile.networkApiVersion", properties.networkProfile.networkApiVersion);
  if (properties?.storageProfile?.osDisk?.createOption === "Attach") return;
  required("imageReference", properties?.storageProfile?.imageReference);
  required("osProfile", properties?.osProfile);
  required("adminUsername", properties?.osProfile?.adminUsername);
  const { adminPassword, linuxConfiguration, windowsConfiguration } = properties?.osProfile ?? {};
  if (adminPassword !== undefined || windowsConfiguration !== undefined || linuxConfiguration?.ssh?.publicKeys?.length)
    return;
  throw invalidParameter(
    "linuxConfiguration",
    "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
  );
}
