export interface LinkOptions {
  readonly hubName: string;
  /** Origin of the app as its callers see it, such as `http://localhost:7071`. */
  readonly publicOrigin: string;
  readonly key: string | undefined;
}

export interface ClientBindingOptions extends LinkOptions {
  /** Where this process takes the client's own calls; ends in a slash. */
  readonly rpcBaseUrl: string;
}

const PLACEHOLDER = "INSTANCEID";

/** The text that an input binding of type `durableClient` gives to a function. */
export function clientBindingOf(options: ClientBindingOptions): string {
  const { hubName, rpcBaseUrl } = options;
  const code = codeOf(options);
  const baseUrl = baseUrlOf(options);
  const create = `${baseUrl}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: hubName,
    baseUrl,
    requiredQueryStringParameters: code,
    rpcBaseUrl,
    creationUrls: {
      createNewInstancePostUri: `${create}?${code}`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${code}`,
    },
    managementUrls: linksOf(options, PLACEHOLDER),
  });
}

/** The links that a started instance's caller gets. */
export function linksOf(options: LinkOptions, id: string): Record<string, string> {
  const instance = `${baseUrlOf(options)}/instances/${encodeURIComponent(id)}`;
  const query = [`taskHub=${options.hubName}`, "connection=Storage", codeOf(options)]
    .filter((part) => part !== "")
    .join("&");
  return {
    id,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}

function baseUrlOf({ publicOrigin }: LinkOptions): string {
  return `${publicOrigin}/runtime/webhooks/durabletask`;
}

function codeOf({ key }: LinkOptions): string {
  return key === undefined ? "" : `code=${encodeURIComponent(key)}`;
}
