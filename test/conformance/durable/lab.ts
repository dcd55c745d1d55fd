import { until } from "../../local/host/support";
import type { Answer, TestApp } from "../../local/host/support";

export const API = "/runtime/webhooks/durabletask";

export interface HistoryEvent {
  readonly EventType: string;
  readonly EventId: number;
  readonly Timestamp: string;
  readonly Name?: string;
  readonly FireAt?: string;
}

export interface Status {
  readonly name: string;
  readonly instanceId: string;
  readonly runtimeStatus: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly customStatus: unknown;
  readonly createdTime: string;
  readonly historyEvents?: readonly HistoryEvent[];
}

export interface ClientAnswer {
  readonly value?: unknown;
  readonly error?: string;
}

const ENDED = ["Completed", "Failed", "Terminated"];

/** Calls a method of the real durable client inside the app. */
export async function client(app: TestApp, method: string, ...args: unknown[]): Promise<ClientAnswer> {
  const { text } = await app.request("POST", `/api/client/${method}`, { body: JSON.stringify(args) });
  return JSON.parse(text) as ClientAnswer;
}

export async function start(
  app: TestApp,
  name: string,
  options: { input?: unknown; instanceId?: string } = {},
): Promise<string> {
  const { value, error } = await client(app, "startNew", name, options);
  if (typeof value !== "string") throw new Error(`startNew ${name}: ${error ?? "no id"}`);
  return value;
}

export async function statusOf(app: TestApp, id: string, query = ""): Promise<Status> {
  return JSON.parse((await app.request("GET", `${API}/instances/${id}${query}`)).text) as Status;
}

export async function ended(app: TestApp, id: string): Promise<Status> {
  return until(
    () => statusOf(app, id),
    ({ runtimeStatus }) => ENDED.includes(runtimeStatus),
  );
}

export async function run(app: TestApp, name: string, input?: unknown): Promise<Status> {
  return ended(app, await start(app, name, { input }));
}

/** Resolves once the instance has that many events of this type in its history. */
export async function reached(
  app: TestApp,
  id: string,
  ...[type, count = 1]: [type: string, count?: number]
): Promise<readonly HistoryEvent[]> {
  const { historyEvents = [] } = await until(
    () => statusOf(app, id, "?showHistory=true"),
    (status) => (status.historyEvents ?? []).filter(({ EventType }) => EventType === type).length >= count,
  );
  return historyEvents;
}

export async function waiting(app: TestApp, id: string): Promise<void> {
  await until(
    () => statusOf(app, id),
    ({ customStatus }) => customStatus !== null,
  );
}

export function post(app: TestApp, path: string, body?: string): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  return app.request("POST", `${API}/${path}`, body === undefined ? {} : { body, headers });
}

export const entity = (key: string, name = "Counter"): { name: string; key: string } => ({ name, key });

/** The entity's state, once it satisfies. */
export async function stateWhen(app: TestApp, key: string, satisfies: (state: unknown) => boolean): Promise<unknown> {
  const read = async (): Promise<unknown> => {
    const { value } = await client(app, "readEntityState", entity(key));
    return (value as { entityState?: unknown }).entityState;
  };
  return until(read, satisfies);
}
