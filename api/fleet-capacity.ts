// What nodes of a simulated fleet have left when faults shrink them.
import {
  formatQuantity,
  multiplyQuantity,
  parseQuantity,
  type Quantity,
  quantityFromJson,
  quantitySign,
  roundQuantityUp,
  subtractQuantities,
} from "../kube/quantity.ts";

/** What a fault takes of each resource: a quantity, or a share such as `50%` of what there is without any fault. */
export type Loss = Readonly<Record<string, string | number>>;

type Resources = Readonly<Record<string, string>>;

/** What is left of the resources after the losses; a resource may come out below zero. Others are as they were. */
export function remainingQuantities(resources: Resources, losses: readonly Loss[]): ReadonlyMap<string, Quantity> {
  const left = new Map<string, Quantity>();
  for (const loss of losses) {
    for (const [resource, by] of Object.entries(loss)) {
      const whole = resources[resource];
      if (whole === undefined) continue;
      const all = parseQuantity(whole);
      left.set(resource, subtractQuantities(left.get(resource) ?? all, lostQuantity(resource, all, by)));
    }
  }
  return left;
}

/** As `remainingQuantities`, all of them, as a Node's status writes them; never below zero. */
export function remainingResources(resources: Resources, losses: readonly Loss[]): Resources {
  const left: Record<string, string> = {};
  for (const [resource, quantity] of remainingQuantities(resources, losses))
    left[resource] = quantitySign(quantity) < 0 ? "0" : formatQuantity(quantity);
  return { ...resources, ...left };
}

function lostQuantity(resource: string, all: Quantity, by: string | number): Quantity {
  const share = typeof by === "string" && by.endsWith("%") ? Number(by.slice(0, -1)) : undefined;
  if (share === undefined) return quantityFromJson(by);
  const exact = multiplyQuantity(all, share);
  // Processors are told in thousandths, everything else in whole numbers.
  return roundQuantityUp(
    { mantissa: exact.mantissa, scale: exact.scale - 2, format: exact.format },
    resource === "cpu" ? -3 : 0,
  );
}
