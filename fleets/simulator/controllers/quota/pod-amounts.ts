// What a Pod asks for and is limited to, counted as quotas do.
import { isObject } from "../../../../kube/object.ts";
import type { Pod } from "../pod-object.ts";
import { type Amounts, addAmounts, largerAmounts, readAmounts } from "./amounts.ts";

export interface Container {
  readonly name?: string;
  readonly restartPolicy?: string;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
}

interface ResourceSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly overhead?: Readonly<Record<string, string>>;
  readonly resources?: Container["resources"];
}

function specOf({ spec }: Pod): ResourceSpec {
  // The server has checked the shape of every Pod.
  return isObject(spec) ? (spec as ResourceSpec) : {};
}

/** All containers of the Pod, init containers last. */
export function containersOf(pod: Pod): readonly Container[] {
  const { containers = [], initContainers = [] } = specOf(pod);
  return [...containers, ...initContainers];
}

/** Whether the Pod as a whole says what it needs. */
export function hasPodResources(pod: Pod): boolean {
  const { requests = {}, limits = {} } = specOf(pod).resources ?? {};
  return Object.keys(requests).length + Object.keys(limits).length > 0;
}

/**
 * Requests or limits of a Pod: its containers and sidecars together, at least what each init container needs beside the
 * sidecars before it, unless the Pod as a whole says it; and its overhead.
 */
export function podAmounts(pod: Pod, what: "requests" | "limits"): Amounts {
  const { containers = [], initContainers = [], overhead, resources } = specOf(pod);
  const of = (container: Container): Amounts => readAmounts(container.resources?.[what]);
  let running: Amounts = containers.map(of).reduce(addAmounts, new Map());
  let sidecars: Amounts = new Map();
  let starting: Amounts = new Map();
  for (const container of initContainers) {
    if (container.restartPolicy === "Always") {
      running = addAmounts(running, of(container));
      sidecars = addAmounts(sidecars, of(container));
      starting = largerAmounts(starting, sidecars);
    } else starting = largerAmounts(starting, addAmounts(of(container), sidecars));
  }
  let amounts: Amounts = largerAmounts(running, starting);
  const whole = readAmounts(resources?.[what]);
  if (whole.size > 0) amounts = new Map([...amounts, ...whole]);
  const more = readAmounts(overhead);
  // As Kubernetes: overhead is no limit where there is none.
  if (what === "requests") return addAmounts(amounts, more);
  return addAmounts(amounts, new Map([...more].filter(([name]) => amounts.has(name))));
}
