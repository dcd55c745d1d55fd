import { randomUUID } from "node:crypto";
import type { FaultPlan } from "../faults/fault-plan";
import { answerWithFaults } from "../azure/http/answer-with-faults";
import { DROPPED, type WireHandler, type WireReply, type WireRequest } from "../azure/http/wire";
import { authorizeVaultCall, type DataQuestion } from "./vault-access";
import { missingApiVersion, unauthorized, unsupportedApiVersion, VaultError } from "./vault-error";
import type { VaultCaller, VaultFacts } from "./vault-request";
import { findVaultRoute, type VaultRoute } from "./vault-routes";
import type { VaultStore } from "./vault-store";
import type { VaultThrottle } from "./vault-throttle";

export interface VaultHandlerOptions {
  readonly vault: () => VaultFacts;
  readonly store: VaultStore;
  readonly throttle: VaultThrottle;
  /** Who a token is of; or what is wrong with it, in Key Vault's words. */
  readonly identify: (authorization: string) => Promise<VaultCaller | { readonly refusal: string }>;
  readonly allows: (question: DataQuestion) => boolean;
  /** `https://localhost:5000/<tenant>`: where clients are sent for a token. */
  readonly tokenAuthority: () => string;
  readonly faults: FaultPlan;
}

/** What tokens must be for; without a slash at its end, on which Azure insists too (AKV10022). */
export const VAULT_AUDIENCE = "https://vault.azure.net";

const API_VERSION = /^(2015-06-01|2016-10-01|7\.[0-6](-preview(\.\d)?)?|202[5-9]-\d{2}-\d{2}(-preview)?)$/;

/** A request's way through a vault: challenge, token, api-version, path, faults, throttle, right, handler. */
export function createVaultHandler(options: VaultHandlerOptions): WireHandler {
  return async (wire) => {
    const reply = await orRefusal(() => answer(options, wire));
    if (reply === DROPPED) return DROPPED;
    const headers = { "x-ms-request-id": randomUUID(), "x-ms-keyvault-region": options.vault().location };
    return { ...reply, headers: { ...headers, "X-Content-Type-Options": "nosniff", ...reply.headers } };
  };
}

async function answer(options: VaultHandlerOptions, wire: WireRequest): Promise<WireReply | typeof DROPPED> {
  const caller = await callerOf(options, wire.headers.authorization);
  const apiVersion = wire.query.get("api-version");
  if (!apiVersion) throw missingApiVersion();
  if (!API_VERSION.test(apiVersion)) throw unsupportedApiVersion(apiVersion);
  const route = findVaultRoute(wire.method, wire.path);
  const vault = options.vault();
  return answerWithFaults({
    faults: options.faults,
    call: { service: "vault", operation: route.operation, subject: `${vault.name}/${route.name}` },
    answer: () => orRefusal(() => perform(options, { vault, wire, caller, route })),
    refuse: ({ status, code, message, headers }) => new VaultError(status, { code, message }, headers).toReply(),
  });
}

interface Call {
  readonly vault: VaultFacts;
  readonly wire: WireRequest;
  readonly caller: VaultCaller;
  readonly route: VaultRoute;
}

async function perform(
  { throttle, store, allows }: VaultHandlerOptions,
  { vault, wire, caller, route }: Call,
): Promise<WireReply> {
  authorizeVaultCall(vault, caller, { route, allows });
  throttle.take(vault.instance, route);
  const { kind, name, version } = route;
  return route.handle({ vault, store, caller, wire, kind, name, version, nowSeconds: Math.floor(Date.now() / 1000) });
}

/** The first request of a client comes without token and without body: it asks where to get one. */
async function callerOf(options: VaultHandlerOptions, authorization: string | undefined): Promise<VaultCaller> {
  const challenge = `Bearer authorization="${options.tokenAuthority()}", resource="${VAULT_AUDIENCE}"`;
  if (!authorization) throw unauthorized("AKV10000: Request is missing a Bearer or PoP token.", challenge);
  const caller = await options.identify(authorization);
  if ("refusal" in caller)
    throw unauthorized(caller.refusal, `${challenge}, error="invalid_token", error_description="${caller.refusal}"`);
  return caller;
}

async function orRefusal<Reply>(act: () => Promise<Reply>): Promise<Reply | WireReply> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof VaultError) return error.toReply();
    throw error;
  }
}
