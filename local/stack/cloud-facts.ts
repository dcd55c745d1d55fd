/** Somebody who can sign in to the embedded Entra; the secret is this computer's own. */
export interface StackUser {
  readonly role: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly objectId: string;
}

/** What the cloud process tells the supervisor once everything in it is up. */
export interface CloudFacts {
  readonly apiUrl: string;
  readonly armUrl: string;
  readonly authorityUrl: string;
  readonly vaultUrl: string;
  readonly portalUrl: string;
  readonly faultsUrl: string;
  readonly caFile: string;
  readonly serviceBus: string;
  readonly stateStorage: string;
  readonly identityEnvironment: Readonly<Record<string, string>>;
  readonly runtime: { readonly clientId: string; readonly principalId: string };
  readonly users: readonly StackUser[];
}

/** Supervisor to cloud: where the Functions host listens now. */
export interface HostAddress {
  readonly type: "host";
  readonly url: string;
}

export interface CloudReady {
  readonly type: "ready";
  readonly facts: CloudFacts;
}
