// What holds a binding back, put together from the policy and from queue systems.

import type { Suspension } from "../../api/policy.ts";
import type { BindingSuspension } from "../../api/work.ts";

/**
 * The binding's suspension after the policy spoke: the policy decides about dispatching, and leaves alone what a queue
 * system decided about scheduling.
 */
export function mergeSuspension(
  present: BindingSuspension | undefined,
  policy: Suspension | undefined,
): BindingSuspension | undefined {
  const scheduling = present?.scheduling === undefined ? {} : { scheduling: present.scheduling };
  if (policy != null) return { ...policy, ...scheduling };
  return present?.scheduling === undefined ? undefined : scheduling;
}
