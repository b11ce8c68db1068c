// Words for the parts of a plan report, the same in a terminal, in Markdown and in HTML.
import type { LineWriter, Place, ReportedLoss, RolloutPlan } from "../../api/plan-report.ts";
import { clusterList, count, objectName, shortCommit } from "./words.ts";

type Survival = NonNullable<ReportedLoss["objects"][number]["after"]>;

/** `apps/web.yaml:3`, `deploy/policies.yaml:3, commit 3f9c2ab`. */
export function placeText({ file, line, commit }: Place): string {
  const where = line === undefined ? file : `${file}:${line}`;
  return commit === undefined ? where : `${where}, commit ${shortCommit(commit)}`;
}

/** `← override shop/registry, rule 1 (deploy/policies.yaml:3)`, `← overlays/prod/kustomization.yaml:7 patches[0]`. */
export function writtenBy({ what, name, place }: LineWriter): string {
  if (place === undefined) return `← ${name}`;
  const isObject = what === "override" || what === "policy" || what === "scheduler";
  return isObject ? `← ${name} (${placeText(place)})` : `← ${placeText(place)} ${name}`;
}

/** `keeps 4 of 6 replicas, 6 with failover`, `is down`, `is not touched`. */
export function survivalText(survival: Survival | undefined): string {
  if (survival === undefined) return "is not touched";
  const { placed, kept, recovered } = survival;
  const atOnce = kept === 0 ? "is down" : `keeps ${kept} of ${count(placed, "replica")}`;
  return recovered > kept ? `${atOnce}, ${recovered} with failover` : atOnce;
}

/** `2 of 6, 6 with failover`. */
export function survivalBefore({ placed, kept, recovered }: Survival): string {
  return `${kept} of ${placed}${recovered > kept ? `, ${recovered} with failover` : ""}`;
}

const MOST_ALSO = 3;

/** ` (also provider aws)`: what else is this same loss; empty when it is nothing else. */
export function alsoText({ also = [] }: ReportedLoss["loss"], write = (name: string): string => name): string {
  if (also.length === 0) return "";
  const names = also.slice(0, MOST_ALSO).map(({ what, name }) => `${what} ${write(name)}`);
  const more = also.length - names.length;
  return ` (also ${names.join(", ")}${more === 0 ? "" : ` and ${more} more`})`;
}

/** `in waves: canary: tokyo-1; healthy for 10m, then rest: paris-1, paris-2 (1 at a time)`. */
export function rolloutText({ waves, paused, with: referrer }: RolloutPlan): string {
  const words = waves.map(({ name, clusters, atOnce }, index) => {
    const { healthyFor } = waves[index - 1] ?? {};
    const wait =
      index === 0 ? "" : healthyFor === undefined ? "once healthy, then " : `healthy for ${healthyFor}, then `;
    return `${wait}${name}: ${clusterList(clusters)}${atOnce === undefined ? "" : ` (${atOnce} at a time)`}`;
  });
  const who = referrer === undefined ? "" : `with ${objectName({ ...referrer, namespace: referrer.namespace })}, `;
  return `${who}in ${count(waves.length, "wave")}${paused === true ? ", paused" : ""}: ${words.join("; ")}`;
}
