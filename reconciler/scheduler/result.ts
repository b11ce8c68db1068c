// What scheduling answers.

import type { TargetCluster } from "../../api/work.ts";
import type { SchedulingTrace } from "./explanation/trace.ts";
import type { SchedulingError } from "./scheduling-error.ts";

/** Either clusters or an error. A cluster without `replicas` gets the object with none (or is no workload). */
export type SchedulingResult =
  | { readonly clusters: readonly TargetCluster[]; readonly error?: undefined; readonly trace?: SchedulingTrace }
  | { readonly clusters?: undefined; readonly error: SchedulingError; readonly trace?: SchedulingTrace };
