import type { FaultPlan, FaultStage, FaultVerdict } from "../faults/fault-plan";

/** The fault plan as the emulator asks it. Links look at `idle` first, so that a plan without rules costs nothing. */
export class FaultGate {
  constructor(private readonly plan: FaultPlan) {}

  get idle(): boolean {
    return this.plan.list().length === 0;
  }

  at(stage: FaultStage, operation: string, subject: string): Promise<FaultVerdict | undefined> {
    return this.plan.at(stage, { service: "service-bus", operation, subject });
  }
}
