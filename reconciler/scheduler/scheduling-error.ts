// Why a binding could not be scheduled.

/**
 * `NoClusterFit`: every cluster is refused by a filter. `Unschedulable`: not enough room at present.
 * `SchedulerError`: the placement cannot be met, or makes no sense.
 */
export type SchedulingErrorKind = "NoClusterFit" | "Unschedulable" | "SchedulerError";

export class SchedulingError {
  readonly kind: SchedulingErrorKind;
  /** Karmada's text. */
  readonly message: string;

  constructor(kind: SchedulingErrorKind, message: string) {
    this.kind = kind;
    this.message = message;
  }

  /** The same failure, said of the step it happened in. */
  during(step: string): SchedulingError {
    return new SchedulingError(this.kind, `${step}: ${this.message}`);
  }
}
