import { until } from "../host/support";
import type { TestApp } from "../host/support";

export interface Status {
  readonly name: string;
  readonly instanceId: string;
  readonly runtimeStatus: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly customStatus: unknown;
  readonly historyEvents?: readonly { readonly EventType: string; readonly Name?: string; readonly EventId: number }[];
}

const API = "/runtime/webhooks/durabletask";

/** Starts an orchestration through the app's own function, and with it through the SDK's client. */
export async function start(
  app: TestApp,
  name: string,
  { input, id }: { input?: unknown; id?: string } = {},
): Promise<string> {
  const path = id === undefined ? `/api/start/${name}` : `/api/start/${name}/${id}`;
  const { status, text } = await app.request("POST", path, input === undefined ? {} : { body: JSON.stringify(input) });
  if (status !== 202) throw new Error(`start ${name} answered ${status} ${text}`);
  return (JSON.parse(text) as { id: string }).id;
}

export async function statusOf(app: TestApp, id: string, query = ""): Promise<Status> {
  const { text } = await app.request("GET", `${API}/instances/${id}${query}`);
  return JSON.parse(text) as Status;
}

export async function ended(app: TestApp, id: string): Promise<Status> {
  return until(
    () => statusOf(app, id),
    ({ runtimeStatus }) => ["Completed", "Failed", "Terminated"].includes(runtimeStatus),
  );
}

export async function outcome(
  app: TestApp,
  name: string,
  input?: unknown,
): Promise<Pick<Status, "runtimeStatus" | "output">> {
  const { runtimeStatus, output } = await ended(app, await start(app, name, { input }));
  return { runtimeStatus, output };
}

export async function raise(app: TestApp, target: { id: string; name: string; data: unknown }): Promise<number> {
  const { id, name, data } = target;
  const headers = { "content-type": "application/json" };
  return (
    await app.request("POST", `${API}/instances/${id}/raiseEvent/${name}`, { body: JSON.stringify(data), headers })
  ).status;
}

export async function control(app: TestApp, id: string, action: string): Promise<number> {
  return (await app.request("POST", `${API}/instances/${id}/${action}?reason=test`)).status;
}

/** Resolves once the instance has this in its history. */
export async function reached(app: TestApp, id: string, event: { EventType: string; Name?: string }): Promise<Status> {
  const has = ({ historyEvents = [] }: Status): boolean =>
    historyEvents.some(
      ({ EventType, Name }) => EventType === event.EventType && (event.Name === undefined || Name === event.Name),
    );
  return until(() => statusOf(app, id, "?showHistory=true"), has);
}

/** Calls a method of the SDK's client inside the app. */
export async function viaClient(app: TestApp, method: string, ...args: unknown[]): Promise<unknown> {
  return JSON.parse(
    (await app.request("POST", `/api/client/${method}`, { body: JSON.stringify(args) })).text,
  ) as unknown;
}
