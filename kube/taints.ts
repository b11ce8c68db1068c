// Taints, of nodes and by the same rules of clusters, and the tolerations of what is to run there.

/** What keeps workloads away that do not tolerate it. */
export interface Taint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
}

/** An empty key with operator Exists is about every taint, an empty effect about every effect. */
export interface Toleration {
  readonly key?: string | undefined;
  readonly operator?: string | undefined;
  readonly value?: string | undefined;
  readonly effect?: string | undefined;
}

/** Whether `toleration` is about `taint`. An empty key with Exists tolerates everything; Lt and Gt tolerate nothing. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? "") {
    case "":
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "");
    case "Exists":
      return true;
    default:
      return false;
  }
}

/** The first of `taints` that no toleration covers. */
export function firstUntolerated<T extends Taint>(
  taints: readonly T[],
  tolerations: readonly Toleration[] | undefined,
): T | undefined {
  if (taints.length === 0) return undefined;
  return taints.find((taint) => !(tolerations ?? []).some((toleration) => tolerates(toleration, taint)));
}

/** True for the effects that keep new workloads away. */
export function keepsAway(taint: Taint): boolean {
  return taint.effect === "NoSchedule" || taint.effect === "NoExecute";
}

/** A taint as Kubernetes writes it: `key=value:effect`, `key:effect` or, without an effect, `key`. */
export function formatTaint(taint: Taint): string {
  const named = taint.value ? `${taint.key}=${taint.value}` : taint.key;
  return `${named}:${taint.effect}`;
}
