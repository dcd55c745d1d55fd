/** The embedded deployment: one tenant, one subscription, one organization. Ids are fixed, so that logs and URLs look alike in each run. */
export const TENANT_ID = "7e0a11aa-c0a1-4c0a-8c0a-c0a1a0000001";
export const SUBSCRIPTION_ID = "5ab5c21b-c0a1-4c0a-8c0a-c0a1a0000002";
export const API_APP_ID = "a91a91a9-c0a1-4c0a-8c0a-c0a1a0000003";
export const DEPLOYMENT_ID = "local";
export const ESTATE_PREFIX = "corral";
export const DEMO_ORG = "demo";
export const LOCATIONS = ["westeurope", "northeurope"] as const;

export const JOB_QUEUE = "jobs";
export const REJECTED_QUEUE = "jobs-rejected";
export const EVENT_QUEUE = "resource-events";

const DEPLOYMENT_GROUP_ID = `/subscriptions/${SUBSCRIPTION_ID}/resourceGroups/rg-corral`;
export const RUNTIME_IDENTITY_ID = `${DEPLOYMENT_GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-corral-runtime`;
