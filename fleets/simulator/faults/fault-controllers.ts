import type { Controller } from "../kernel/controller.ts";
import { nodeCapacityController } from "./node-capacity.ts";
import { upgradeController } from "./upgrade-controller.ts";

/** What carries out faults that take their time inside a cluster, made anew for one cluster. */
export function faultControllers(): Controller[] {
  return [nodeCapacityController(), upgradeController()];
}
