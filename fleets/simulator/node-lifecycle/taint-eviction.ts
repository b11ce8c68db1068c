// How long a Pod may stay on a node with taints of effect NoExecute.
import { type Taint, type Toleration, tolerates } from "../../../kube/taints.ts";

export interface TimedToleration extends Toleration {
  readonly tolerationSeconds?: number | undefined;
}

/** Milliseconds that the Pod may stay: 0 when not at all, Infinity when for good. */
export function toleratedMs(taints: readonly Taint[], tolerations: readonly TimedToleration[]): number {
  const used: TimedToleration[] = [];
  for (const taint of taints) {
    // As Kubernetes: of several that fit, the first counts.
    const toleration = tolerations.find((each) => tolerates(each, taint));
    if (toleration === undefined) return 0;
    used.push(toleration);
  }
  let least = Number.POSITIVE_INFINITY;
  for (const { tolerationSeconds } of used) {
    if (tolerationSeconds === undefined) continue;
    if (tolerationSeconds <= 0) return 0;
    least = Math.min(least, tolerationSeconds * 1000);
  }
  return least;
}
