// What of a fleet can fail in one go: a cluster, a zone, a region, a provider.
import type { FaultTarget } from "../../api/fleet-faults.ts";
import type { PlannedCluster } from "../../api/fleet-plan.ts";
import { targetClusters } from "../../api/fleet-targets.ts";
import { nearest } from "../../api/nearest.ts";
import { AppError } from "../../runtime/errors.ts";

export const LOSS_KINDS = ["cluster", "zone", "region", "provider"] as const;
export type LossKind = (typeof LOSS_KINDS)[number];

/** Something that fails as a whole. */
export interface Loss {
  readonly kind: LossKind;
  readonly name: string;
  readonly target: FaultTarget;
  /** The clusters that it concerns, in whole or, of a zone, in part. */
  readonly clusters: readonly string[];
}

/** `region us-east` */
export function lossName({ kind, name }: Pick<Loss, "kind" | "name">): string {
  return `${kind} ${name}`;
}

/** Everything that can fail, kind by kind, in the order of the fleet. */
export function possibleLosses(plan: readonly PlannedCluster[]): Loss[] {
  return LOSS_KINDS.flatMap((kind) => [...new Set(namesOf(kind, plan))].map((name) => lossOf(kind, name, plan)));
}

/**
 * The losses that words mean: `region/us-east`, or `region` for each region. Throws `loss-unknown` for anything that the
 * fleet does not have, and names what is nearest.
 */
export function readLosses(words: readonly string[], plan: readonly PlannedCluster[]): Loss[] {
  const all = possibleLosses(plan);
  const chosen = new Map<string, Loss>();
  for (const word of words) {
    const [kind = "", name] = word.split("/", 2);
    const found = all.filter((loss) => loss.kind === kind && (name === undefined || loss.name === name));
    if (found.length === 0) throw unknown(word, kind, name, all);
    for (const loss of found) chosen.set(lossName(loss), loss);
  }
  return [...chosen.values()];
}

function unknown(word: string, kind: string, name: string | undefined, all: readonly Loss[]): AppError {
  const ofKind = all.filter((loss) => loss.kind === kind).map((loss) => loss.name);
  if (!LOSS_KINDS.some((each) => each === kind) || ofKind.length === 0 || name === undefined) {
    const known = LOSS_KINDS.filter((each) => all.some((loss) => loss.kind === each));
    return problem(
      `"${word}" names nothing that can fail in this fleet: it has ${known.join(", ")}, as in region/NAME`,
    );
  }
  const meant = nearest(name, ofKind);
  const hint = meant === undefined ? `there are ${ofKind.slice(0, 10).join(", ")}` : `did you mean ${kind}/${meant}?`;
  return problem(`the fleet has no ${kind} ${name}; ${hint}`);
}

function problem(message: string): AppError {
  return new AppError("loss-unknown", message, { recovery: "stall" });
}

function namesOf(kind: LossKind, plan: readonly PlannedCluster[]): string[] {
  switch (kind) {
    case "cluster":
      return plan.map((cluster) => cluster.name);
    case "zone":
      return plan.flatMap((cluster) => cluster.zones);
    case "region":
      return plan.flatMap((cluster) => cluster.region ?? []);
    case "provider":
      return plan.flatMap((cluster) => cluster.provider ?? []);
  }
}

function lossOf(kind: LossKind, name: string, plan: readonly PlannedCluster[]): Loss {
  const target: FaultTarget = kind === "cluster" ? { clusters: [name] } : { [kind]: name };
  return { kind, name, target, clusters: targetClusters(target, plan).map((cluster) => cluster.name) };
}
