import type { FaultCall, FaultPlan, FaultVerdict } from "../../faults/fault-plan";
import { DROPPED, type WireReply } from "./wire";

export interface FaultyAnswer {
  readonly faults: FaultPlan;
  readonly call: FaultCall;
  /** Does what was asked for. */
  readonly answer: () => Promise<WireReply>;
  /** The service's own error body for a failure of the plan. */
  readonly refuse: (verdict: Extract<FaultVerdict, { kind: "fail" }>) => WireReply;
}

/** Answers a call, with what the fault plan has for it before anything was done and before the answer leaves. */
export async function answerWithFaults({
  faults,
  call,
  answer,
  refuse,
}: FaultyAnswer): Promise<WireReply | typeof DROPPED> {
  const before = await faults.at("before", call);
  if (before) return before.kind === "drop" ? DROPPED : refuse(before);
  const reply = await answer();
  const after = await faults.at("after", call);
  if (after) return after.kind === "drop" ? DROPPED : refuse(after);
  return reply;
}
