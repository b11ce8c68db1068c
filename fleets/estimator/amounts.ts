// Amounts of resources as nodes account for them, in plain numbers.
import { quantityMilliNumber, quantityNumber, tryParseQuantity } from "../../kube/quantity.ts";
import { isScalarResource } from "../../kube/resource-names.ts";

/** `cpu` in thousandths, bytes and counts in whole units, all rounded up. Resources that nodes do not account for are left out. */
export interface Amounts {
  readonly cpu: number;
  readonly memory: number;
  readonly storage: number;
  readonly pods: number;
  /** Extended resources, huge pages and the like; absent when there are none. */
  readonly scalars: ReadonlyMap<string, number> | undefined;
}

/** Quantities as objects carry them. */
export type QuantityList = Readonly<Record<string, string | number>>;

export const NO_AMOUNTS: Amounts = { cpu: 0, memory: 0, storage: 0, pods: 0, scalars: undefined };

/** Reads a list of quantities; what is no quantity counts as nothing. */
export function readAmounts(list: QuantityList | undefined): Amounts {
  if (list === undefined) return NO_AMOUNTS;
  let { cpu, memory, storage, pods } = NO_AMOUNTS;
  let scalars: Map<string, number> | undefined;
  for (const [resource, text] of Object.entries(list)) {
    const quantity = tryParseQuantity(String(text).trim());
    if (quantity === undefined) continue;
    if (resource === "cpu") cpu = quantityMilliNumber(quantity);
    else if (resource === "memory") memory = quantityNumber(quantity);
    else if (resource === "ephemeral-storage") storage = quantityNumber(quantity);
    else if (resource === "pods") pods = quantityNumber(quantity);
    else if (isScalarResource(resource)) {
      scalars ??= new Map();
      scalars.set(resource, quantityNumber(quantity));
    }
  }
  return { cpu, memory, storage, pods, scalars };
}

/** `a` and `factor` times `b`. */
export function addAmounts(a: Amounts, b: Amounts, factor = 1): Amounts {
  return {
    cpu: a.cpu + factor * b.cpu,
    memory: a.memory + factor * b.memory,
    storage: a.storage + factor * b.storage,
    pods: a.pods + factor * b.pods,
    scalars: mergeScalars(a.scalars, b.scalars, (left, right) => left + factor * right),
  };
}

/** The larger of each amount. */
export function maxAmounts(a: Amounts, b: Amounts): Amounts {
  return {
    cpu: Math.max(a.cpu, b.cpu),
    memory: Math.max(a.memory, b.memory),
    storage: Math.max(a.storage, b.storage),
    pods: Math.max(a.pods, b.pods),
    scalars: mergeScalars(a.scalars, b.scalars, Math.max),
  };
}

/** What is left of `whole`, nowhere less than nothing. Scalars that `whole` does not have stay away. */
export function remainingAmounts(whole: Amounts, taken: Amounts): Amounts {
  let { scalars } = whole;
  if (scalars !== undefined && taken.scalars !== undefined) {
    scalars = new Map(
      Array.from(scalars, ([name, amount]) => [name, Math.max(0, amount - (taken.scalars?.get(name) ?? 0))]),
    );
  }
  return {
    cpu: Math.max(0, whole.cpu - taken.cpu),
    memory: Math.max(0, whole.memory - taken.memory),
    storage: Math.max(0, whole.storage - taken.storage),
    pods: Math.max(0, whole.pods - taken.pods),
    scalars,
  };
}

function mergeScalars(
  a: Amounts["scalars"],
  b: Amounts["scalars"],
  merge: (left: number, right: number) => number,
): Amounts["scalars"] {
  if (b === undefined) return a;
  const merged = new Map(a);
  for (const [name, amount] of b) merged.set(name, merge(merged.get(name) ?? 0, amount));
  return merged;
}

/** How many times `request` fits into `room`, by its resources and by pods. Requests of nothing fit without end. */
export function countFits(room: Amounts, request: Amounts): number {
  let fits = room.pods;
  if (request.cpu > 0) fits = Math.min(fits, Math.trunc(room.cpu / request.cpu));
  if (request.memory > 0) fits = Math.min(fits, Math.trunc(room.memory / request.memory));
  if (request.storage > 0) fits = Math.min(fits, Math.trunc(room.storage / request.storage));
  if (request.scalars !== undefined) {
    for (const [name, amount] of request.scalars)
      if (amount > 0) fits = Math.min(fits, Math.trunc((room.scalars?.get(name) ?? 0) / amount));
  }
  return fits;
}
