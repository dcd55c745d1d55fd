import { randomUUID } from "node:crypto";

/** One call that reached a simulator, as the fault plan sees it. */
export interface FaultCall {
  /** Which simulator: `arm`, `entra`, `identity`, `service-bus`, `storage`, `front-door`, `vm`. */
  readonly service: string;
  /** What is done, in the service's words: `PUT Microsoft.Compute/virtualMachines`, `deliver jobs`, `insert Jobs`. */
  readonly operation: string;
  /** To what: a resource id, an entity key, a message id. */
  readonly subject: string;
}

/** `before`: the call has arrived and nothing was done; `after`: it was done and is not answered; `operation`: the long-running operation that it started. */
export type FaultStage = "before" | "after" | "operation";

export type FaultAction =
  | { readonly kind: "hold" }
  /** Nothing happens to the call: it is only seen and counted. */
  | { readonly kind: "watch" }
  /** What the call brings arrives so many times more. Only a simulator that delivers something asks for it. */
  | { readonly kind: "duplicate"; readonly copies: number }
  | { readonly kind: "delay"; readonly milliseconds: number }
  | { readonly kind: "drop" }
  | {
      readonly kind: "fail";
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface FaultRule {
  readonly service: string;
  /** Regular expressions; absent means any. */
  readonly operation?: string | undefined;
  readonly subject?: string | undefined;
  readonly stage: FaultStage;
  /** How many matching calls pass before the rule bites. */
  readonly skip: number;
  /** How many calls it bites. */
  readonly times: number;
  readonly action: FaultAction;
}

/** What a simulator has to do itself: fail with this answer, or drop the connection. Holds and delays are over by then. */
export type FaultVerdict = Extract<FaultAction, { kind: "drop" | "fail" }>;

export interface RuleState {
  readonly id: string;
  readonly rule: FaultRule;
  readonly hits: number;
  readonly holding: number;
  readonly calls: readonly SeenCall[];
}

export interface SeenCall extends FaultCall {
  /** Milliseconds since 1970, with fractions. */
  readonly atMs: number;
}

interface ArmedRule {
  readonly rule: FaultRule;
  seen: number;
  hits: number;
  holding: number;
  readonly calls: SeenCall[];
  readonly released: Promise<void>;
  readonly release: () => void;
  hitWaiters: { readonly hits: number; readonly resolve: () => void }[];
}

/**
 * Faults that the simulators meet, armed from outside. A held call stays held until its rule is removed, so that a test can
 * kill a process exactly while a request or an answer is under way.
 */
export class FaultPlan {
  private readonly rules = new Map<string, ArmedRule>();

  arm(rule: FaultRule): string {
    const id = randomUUID();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.rules.set(id, {
      rule,
      seen: 0,
      hits: 0,
      holding: 0,
      calls: [],
      released: promise,
      release: () => resolve(undefined),
      hitWaiters: [],
    });
    return id;
  }

  /** Removes a rule and lets the calls go on that it holds. */
  disarm(id: string): boolean {
    const armed = this.rules.get(id);
    if (!armed) return false;
    this.rules.delete(id);
    armed.release();
    for (const waiter of armed.hitWaiters) waiter.resolve();
    return true;
  }

  disarmAll(): void {
    for (const id of [...this.rules.keys()]) this.disarm(id);
  }

  stateOf(id: string): RuleState | undefined {
    const armed = this.rules.get(id);
    return armed && { id, rule: armed.rule, hits: armed.hits, holding: armed.holding, calls: armed.calls };
  }

  list(): RuleState[] {
    return [...this.rules.keys()].flatMap((id) => this.stateOf(id) ?? []);
  }

  /** Resolves once the rule has bitten that many times, or is gone. */
  async waitForHits(id: string, hits: number): Promise<void> {
    const armed = this.rules.get(id);
    if (!armed || armed.hits >= hits) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    armed.hitWaiters.push({ hits, resolve: () => resolve(undefined) });
    await promise;
  }

  /** Called by a simulator at each stage of a call. Waits while held or delayed; the answer is what the simulator must do instead. */
  async at(stage: FaultStage, call: FaultCall): Promise<FaultVerdict | undefined> {
    if (this.rules.size === 0) return undefined;
    const armed = this.take(stage, call);
    if (!armed) return undefined;
    const { action } = armed.rule;
    switch (action.kind) {
      case "hold":
        armed.holding += 1;
        await armed.released;
        armed.holding -= 1;
        return undefined;
      case "watch":
      case "duplicate":
        return undefined;
      case "delay":
        await new Promise((resolve) => setTimeout(resolve, action.milliseconds));
        return undefined;
      case "drop":
      case "fail":
        return action;
    }
  }

  /** How many times more a delivery arrives than it should. */
  copiesOf(call: FaultCall): number {
    const action = this.take("before", call, true)?.rule.action;
    return action?.kind === "duplicate" ? action.copies : 0;
  }

  private take(stage: FaultStage, call: FaultCall, wantsCopies = false): ArmedRule | undefined {
    for (const armed of this.rules.values()) {
      if ((armed.rule.action.kind === "duplicate") !== wantsCopies) continue;
      if (armed.rule.stage !== stage || !matches(armed.rule, call)) continue;
      armed.seen += 1;
      if (armed.seen <= armed.rule.skip || armed.hits >= armed.rule.times) continue;
      armed.hits += 1;
      armed.calls.push({ ...call, atMs: performance.timeOrigin + performance.now() });
      for (const waiter of armed.hitWaiters) if (armed.hits >= waiter.hits) waiter.resolve();
      return armed;
    }
    return undefined;
  }
}

function matches(rule: FaultRule, call: FaultCall): boolean {
  return (
    rule.service === call.service &&
    (rule.operation === undefined || new RegExp(rule.operation, "i").test(call.operation)) &&
    (rule.subject === undefined || new RegExp(rule.subject, "i").test(call.subject))
  );
}
