import { ArmError } from "./arm-error";

/** Each error of ARM and its providers once, with status, code and sentence. */

export const malformedPath = (): ArmError =>
  new ArmError(400, {
    code: "InvalidRequestUri",
    message: "The request URI is invalid: it cannot be read as a resource id.",
  });

export const missingApiVersion = (): ArmError =>
  new ArmError(400, {
    code: "MissingApiVersionParameter",
    message: "The api-version query parameter (?api-version=) is required for all requests.",
  });

// The newest of those that Azure names; it names some fifty.
const SUPPORTED_VERSIONS =
  "2024-08-01,2024-06-01-preview,2024-03-01,2023-07-01,2023-07-01-preview,2022-12-01,2021-04-01";

export const invalidApiVersion = (given: string): ArmError =>
  new ArmError(400, {
    code: "InvalidApiVersionParameter",
    message: `The api-version '${given}' is invalid. The supported versions are '${SUPPORTED_VERSIONS}'.`,
  });

export const malformedContent = (reason: string): ArmError =>
  new ArmError(400, {
    code: "InvalidRequestContent",
    message: `The request content was invalid and could not be deserialized: '${reason}'.`,
  });

export const unknownMember = (member: string, at: string): ArmError =>
  new ArmError(400, {
    code: "InvalidRequestContent",
    message: `The request content was invalid and could not be deserialized: 'Could not find member '${member}' on object of type '${at}''.`,
  });

export const invalidParameter = (target: string, message: string): ArmError =>
  new ArmError(400, { code: "InvalidParameter", message }, { target });

export const missingLocation = (): ArmError =>
  new ArmError(400, { code: "LocationRequired", message: "The location property is required for this definition." });

export const locationNotAvailable = (location: string, type: string, known: readonly string[]): ArmError =>
  new ArmError(400, {
    code: "LocationNotAvailableForResourceType",
    message: `The provided location '${location}' is not available for resource type '${type}'. List of available regions for the resource type is '${known.join(",")}'.`,
  });

export const otherLocation = (place: { name: string; group: string; location: string; wanted: string }): ArmError =>
  new ArmError(409, {
    code: "InvalidResourceLocation",
    message: `The resource '${place.name}' already exists in location '${place.location}' in resource group '${place.group}'. A resource with the same name cannot be created in location '${place.wanted}'. Please select a new resource name.`,
  });

export const subscriptionNotFound = (subscriptionId: string): ArmError =>
  new ArmError(404, {
    code: "SubscriptionNotFound",
    message: `The subscription '${subscriptionId}' could not be found.`,
  });

export const groupNotFound = (group: string): ArmError =>
  new ArmError(404, { code: "ResourceGroupNotFound", message: `Resource group '${group}' could not be found.` });

export const groupBeingDeleted = (group: string): ArmError =>
  new ArmError(409, {
    code: "ResourceGroupBeingDeleted",
    message: `The resource group '${group}' is in deprovisioning state and cannot perform this operation.`,
  });

export const resourceNotFound = (typeAndName: string, group: string): ArmError =>
  new ArmError(404, {
    code: "ResourceNotFound",
    message: `The Resource '${typeAndName}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  });

export const parentNotFound = (typeAndName: string): ArmError =>
  new ArmError(404, {
    code: "ParentResourceNotFound",
    message: `Failed to perform 'write' on resource, because the parent resource '${typeAndName}' could not be found.`,
  });

export const invalidReference = (missing: string, from: string): ArmError =>
  new ArmError(400, {
    code: "InvalidResourceReference",
    message: `Resource ${missing} referenced by resource ${from} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
  });

export const identityNotFound = (resource: string, identity: string): ArmError =>
  new ArmError(400, {
    code: "FailedIdentityOperation",
    message: `Identity operation for resource '${resource}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{"error":{"code":"BadRequest","message":"Resource '${identity}' was not found."}}'.'`,
  });

export const invalidResourceType = (type: string, apiVersion: string): ArmError => {
  const [namespace = "", ...types] = type.split("/");
  return new ArmError(404, {
    code: "InvalidResourceType",
    message: `The resource type '${types.join("/")}' could not be found in the namespace '${namespace}' for api version '${apiVersion}'.`,
  });
};

export const methodNotAllowed = (method: string, type: string): ArmError =>
  new ArmError(405, {
    code: "MethodNotAllowed",
    message: `The request method '${method}' is not supported for resource type '${type}'.`,
  });

export const propertyChangeNotAllowed = (property: string): ArmError =>
  new ArmError(
    409,
    { code: "PropertyChangeNotAllowed", message: `Changing property '${property}' is not allowed.` },
    { target: property },
  );

export const skuNotAvailable = (size: string, location: string): ArmError =>
  new ArmError(409, {
    code: "SkuNotAvailable",
    message: `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${size}' is currently not available in location '${location}'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.`,
  });

export interface QuotaShortage {
  /** `StandardNCADSA100v4Family Cores`, `Total Regional Cores`, `LowPriorityCores`. */
  readonly quota: string;
  readonly location: string;
  readonly limit: number;
  readonly usage: number;
  readonly additional: number;
}

export const quotaExceeded = ({ quota, location, limit, usage, additional }: QuotaShortage): ArmError =>
  new ArmError(409, {
    code: "OperationNotAllowed",
    message: `Operation could not be completed as it results in exceeding approved ${quota} quota. Additional details - Deployment Model: Resource Manager, Location: ${location}, Current Limit: ${limit}, Current Usage: ${usage}, Additional Required: ${additional}, (Minimum) New Limit Required: ${usage + additional}. Setup Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoring . Please read more about quota limits at https://docs.microsoft.com/en-us/azure/azure-supportability/per-vm-quota-requests`,
  });

export const conflict = (): ArmError =>
  new ArmError(409, {
    code: "Conflict",
    message:
      "The request failed due to conflict with a concurrent request. To resolve it, please refer to https://aka.ms/activitylog to get more details on the conflicting requests.",
  });

export const markedForDeletion = (operation: string, vm: string): ArmError =>
  new ArmError(409, {
    code: "OperationNotAllowed",
    message: `Operation '${operation}' is not allowed on VM '${vm}' since the VM is marked for deletion. You can only retry the Delete operation (or wait for an ongoing one to complete).`,
  });

export const vmMustRun = (): ArmError =>
  new ArmError(409, {
    code: "OperationNotAllowed",
    message: "The operation requires the VM to be running (or set to run).",
  });

export const onlyForSpot = (vm: string): ArmError =>
  new ArmError(409, {
    code: "OperationNotAllowed",
    message: `Operation 'simulateEviction' is not allowed on VM '${vm}' since it is not an Azure Spot VM.`,
  });

export const nicInUse = (nic: string, user: string): ArmError =>
  new ArmError(400, {
    code: "NicInUse",
    message: `Network Interface ${nic} is used by existing resource ${user}. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.`,
  });

export const nicReserved = (nic: string, user: string): ArmError =>
  new ArmError(400, {
    code: "NicInUse",
    message: `Network Interface ${nic} cannot be attached, because it is used by existing resource ${user}.`,
  });

export const subnetInUse = (subnet: string, user: string): ArmError =>
  new ArmError(400, {
    code: "InUseSubnetCannotBeDeleted",
    message: `Subnet ${subnet.slice(subnet.lastIndexOf("/") + 1)} is in use by ${user} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.`,
  });

export const diskAttached = (disk: string, vm: string): ArmError =>
  new ArmError(409, { code: "OperationNotAllowed", message: `Disk ${disk} is attached to VM ${vm}.` });
