// @ts-check
// Keeps workloads out of regions whose electricity is too dirty, and prefers the cleaner of the others.

/** @typedef {import("../../reconciler/scheduler/plugin.ts").SchedulerPlugin} SchedulerPlugin */
/** @typedef {{ intensity: Record<string, number>, most: number }} Args */

export const apiVersion = "scheduler.flaghoist.io/v1alpha1";

/** @type {NonNullable<SchedulerPlugin["filter"]>} */
export function filter(cluster, request) {
  const { intensity, most } = /** @type {Args} */ (request.args);
  const grams = intensity[cluster.region];
  if (grams === undefined) return true;
  return grams <= most || `${grams} g/kWh in ${cluster.region}, at most ${most} are allowed`;
}

/** @type {NonNullable<SchedulerPlugin["score"]>} */
export function score(cluster, request) {
  const { intensity, most } = /** @type {Args} */ (request.args);
  const grams = intensity[cluster.region] ?? most;
  return Math.max(0, 100 * (1 - grams / most));
}
