// What one pod takes of the node it runs on.
import { isObject } from "../../kube/object.ts";
import { type Amounts, addAmounts, maxAmounts, NO_AMOUNTS, type QuantityList, readAmounts } from "./amounts.ts";

/**
 * `karmada`: containers summed, at least each init container, plus overhead, as Karmada's estimators count. `kubernetes`:
 * also init containers that go on running (sidecars) beside all others, and requests of the pod as a whole instead of
 * those of its containers, as Kubernetes' scheduler counts. The two differ for no other pod.
 */
export type PodArithmetic = "karmada" | "kubernetes";

export function podAmounts(spec: Readonly<Record<string, unknown>>, arithmetic: PodArithmetic): Amounts {
  let amounts = sumOf(listOf(spec["containers"]));
  const initContainers = listOf(spec["initContainers"]);
  if (arithmetic === "karmada") {
    for (const container of initContainers) amounts = maxAmounts(amounts, requestsOf(container));
  } else {
    amounts = besideSidecars(amounts, initContainers);
    amounts = wholePod(amounts, spec["resources"]);
  }
  return isObject(spec["overhead"]) ? addAmounts(amounts, readAmounts(spec["overhead"] as QuantityList)) : amounts;
}

/** Sidecars run beside the containers, and beside each init container that starts after them. */
function besideSidecars(containers: Amounts, initContainers: readonly Record<string, unknown>[]): Amounts {
  let sidecars = NO_AMOUNTS;
  let largest = NO_AMOUNTS;
  for (const container of initContainers) {
    const requests = requestsOf(container);
    if (container["restartPolicy"] === "Always") {
      sidecars = addAmounts(sidecars, requests);
      largest = maxAmounts(largest, sidecars);
    } else {
      largest = maxAmounts(largest, addAmounts(sidecars, requests));
    }
  }
  return maxAmounts(addAmounts(containers, sidecars), largest);
}

/** Requests of the pod as a whole stand for those of its containers: of processor, memory and huge pages. */
function wholePod(amounts: Amounts, resources: unknown): Amounts {
  if (!isObject(resources) || !isObject(resources["requests"])) return amounts;
  const list = resources["requests"] as QuantityList;
  const own = readAmounts(list);
  const scalars = new Map(amounts.scalars);
  for (const [name, amount] of own.scalars ?? []) if (name.startsWith("hugepages-")) scalars.set(name, amount);
  return {
    ...amounts,
    cpu: "cpu" in list ? own.cpu : amounts.cpu,
    memory: "memory" in list ? own.memory : amounts.memory,
    scalars: scalars.size === 0 ? undefined : scalars,
  };
}

function sumOf(containers: readonly Record<string, unknown>[]): Amounts {
  return containers.reduce((sum, container) => addAmounts(sum, requestsOf(container)), NO_AMOUNTS);
}

function requestsOf(container: Readonly<Record<string, unknown>>): Amounts {
  const resources = container["resources"];
  const requests = isObject(resources) ? resources["requests"] : undefined;
  return isObject(requests) ? readAmounts(requests as QuantityList) : NO_AMOUNTS;
}

function listOf(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
