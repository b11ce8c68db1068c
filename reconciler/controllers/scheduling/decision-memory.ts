// What decisions of a moment ago mean for the next one, before anybody has reported what came of them.
import type { TargetCluster } from "../../../api/work.ts";
import type { DecisionOptions } from "../../scheduler/decide-scheduling.ts";
import type { AnyBinding } from "../../works/binding.ts";

/**
 * Unlike a `SchedulingInput` it is read at the very moment of a decision, when nothing more is waited for, and told of the
 * result in the same turn of the event loop: bindings are written side by side, but each decision knows of those before it.
 */
export interface DecisionMemory {
  optionsFor(binding: AnyBinding): Partial<DecisionOptions>;
  /** `binding` is to go to `clusters`; the write of that begins. */
  decided(binding: AnyBinding, clusters: readonly TargetCluster[]): void;
  /** Has `listener` called with a cluster that has more room than the memory took it to have. */
  onRoom?(listener: (cluster: string) => void): void;
  /** That write ended, with what is stored now, or in vain. */
  ended(binding: AnyBinding, stored: AnyBinding | undefined): void;
}
