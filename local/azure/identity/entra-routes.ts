import type { FaultPlan } from "../../faults/fault-plan";
import { answerWithFaults } from "../http/answer-with-faults";
import type { WireHandler, WireReply, WireRequest } from "../http/wire";
import { answerAuthorize, refusalPage } from "./authorize-endpoint";
import { answerDevicePage, beginDeviceCode } from "./device-code-endpoint";
import { entraError, EntraRefusal, onlyPost, tenantNotFound } from "./entra-errors";
import { openIdConfiguration } from "./openid-configuration";
import type { SigningKeys } from "./signing-key";
import { answerTokenCall, type TokenEndpointOptions } from "./token-endpoint";

export interface EntraRoutesOptions extends TokenEndpointOptions {
  readonly key: SigningKeys;
  readonly faults: FaultPlan;
}

/** Names that stand for the one tenant: of the users' sign-in, and of an on-premises server. */
const ALIASES = ["common", "organizations", "adfs"];

interface Arrived {
  readonly request: WireRequest;
  readonly tenant: string;
}

type Endpoint = (options: EntraRoutesOptions, arrived: Arrived) => WireReply | Promise<WireReply>;

const configuration: Endpoint = ({ authority, directory }, { tenant }) => ({
  status: 200,
  headers: { "Access-Control-Allow-Origin": "*" },
  body: openIdConfiguration({ authority: authority(), tenantId: directory.tenantId, tenant }),
});
const keys: Endpoint = ({ key }) => ({
  status: 200,
  headers: { "Access-Control-Allow-Origin": "*" },
  body: { keys: key.all().map(({ jwk }) => jwk) },
});
const authorize: Endpoint = (options, { request }) => {
  try {
    return answerAuthorize(options, request);
  } catch (error) {
    if (error instanceof EntraRefusal) return refusalPage(error);
    throw error;
  }
};
const token: Endpoint = (options, arrived) => answerTokenCall(options, arrived);
const deviceCode: Endpoint = (options, { request }) => beginDeviceCode(options, request);
const devicePage: Endpoint = (options, { request }) => answerDevicePage(options, request);
const refuseGet: Endpoint = (_options, { request }) => onlyPost(request.method);

/** Version 2, version 1, and the paths of an on-premises server (AD FS), which `az` takes for a custom cloud. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "GET v2.0/.well-known/openid-configuration": configuration,
  "GET .well-known/openid-configuration": configuration,
  "GET discovery/v2.0/keys": keys,
  "GET discovery/keys": keys,
  "POST oauth2/v2.0/token": token,
  "POST oauth2/token": token,
  "GET oauth2/v2.0/token": refuseGet,
  "GET oauth2/token": refuseGet,
  "GET oauth2/v2.0/authorize": authorize,
  "POST oauth2/v2.0/authorize": authorize,
  "GET oauth2/authorize": authorize,
  "POST oauth2/authorize": authorize,
  "POST oauth2/v2.0/devicecode": deviceCode,
  "POST oauth2/devicecode": deviceCode,
  "GET oauth2/v2.0/deviceauth": devicePage,
  "POST oauth2/v2.0/deviceauth": devicePage,
};

/** The tenant's endpoints below `https://<authority>/<tenant>/`. */
export function createEntraRoutes(options: EntraRoutesOptions): WireHandler {
  const { directory, faults } = options;
  return async (request) => {
    const [, tenant = "", ...rest] = request.path.toLowerCase().split("/");
    const name = `${request.method} ${rest.join("/")}`;
    if (tenant !== directory.tenantId.toLowerCase() && !ALIASES.includes(tenant)) return tenantNotFound(tenant);
    const endpoint = Object.hasOwn(ENDPOINTS, name) ? ENDPOINTS[name] : undefined;
    if (!endpoint) return { status: 404 };
    const answer = (): Promise<WireReply> => answered(options, endpoint, { request, tenant });
    if (endpoint !== token) return answer();
    const form = new URLSearchParams(request.body.toString("utf8"));
    return answerWithFaults({
      faults,
      call: { service: "entra", operation: "token", subject: form.get("client_id") ?? "" },
      answer,
      refuse: ({ status, headers, code, message }) => {
        const reply = entraError({ status, error: code, number: numberOf(message), text: message });
        return { ...reply, headers: { ...reply.headers, ...headers } };
      },
    });
  };
}

async function answered(options: EntraRoutesOptions, endpoint: Endpoint, arrived: Arrived): Promise<WireReply> {
  try {
    return await endpoint(options, arrived);
  } catch (error) {
    if (error instanceof EntraRefusal) return error.reply;
    throw error;
  }
}

// "A transient error has occurred. Please try again."
const TRANSIENT = 90033;

const numberOf = (message: string): number => Number(/AADSTS(\d+)/.exec(message)?.[1] ?? TRANSIENT);
