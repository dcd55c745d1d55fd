import { parseEvents, publicEvent } from "./history";
import type { InstanceRow } from "./journal";

export interface StatusOptions {
  /** The history's JSON, when it is to be shown. */
  readonly history: string | undefined;
  readonly showOutput: boolean;
  readonly showInput: boolean;
}

/** An instance as the management API shows it. `input` and `output` must be there, even as null, or the SDK's client throws. */
export function statusOf(
  row: InstanceRow,
  options: StatusOptions = { history: undefined, showOutput: false, showInput: true },
): Record<string, unknown> {
  const { history, showOutput, showInput } = options;
  return {
    name: row.name,
    instanceId: row.id,
    runtimeStatus: row.status,
    input: showInput ? parse(row.input) : null,
    customStatus: parse(row.customStatus),
    output: parse(row.output),
    createdTime: wholeSeconds(row.createdAt),
    lastUpdatedTime: wholeSeconds(row.updatedAt),
    ...(history === undefined
      ? {}
      : { historyEvents: parseEvents(history).map((event) => publicEvent(event, showOutput)) }),
  };
}

/** Azure writes both times without a fraction. */
function wholeSeconds(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

function parse(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}
