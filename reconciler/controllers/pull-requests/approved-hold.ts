// Which approval of a plan is the word that a Sync's held deletions wait for.
import { CONFIRM_PRUNE_ANNOTATION, type Sync } from "../../../api/gitops.ts";
import type { PlanApproval, Reporter } from "../../../api/reporter.ts";
import { findCondition } from "../../../kube/conditions.ts";
import { APPROVAL_LASTS_MS } from "../../pull-requests/commands/approvals.ts";
import { keyOf } from "../sync/git-repository.ts";

export interface ApprovedHold {
  readonly reporter: Reporter;
  readonly approval: PlanApproval;
  /** What the hold's message asks for. */
  readonly word: string;
  readonly revision: string;
}

const ASKED = new RegExp(`${CONFIRM_PRUNE_ANNOTATION}=([0-9A-Za-z]+(?:/\\d+)?)$`);

/**
 * The approval of exactly what a Sync holds: of the same transition, from what the Sync has applied whole to what it is to
 * have. Another state before, and other objects would be deleted. Approvals are used once, within their time; whether the
 * pull request was merged is to be asked. Undefined when there is none, or nothing is held.
 */
export function approvedHold(sync: Sync, reporters: readonly Reporter[], nowMs: number): ApprovedHold | undefined {
  const { metadata, status } = sync;
  const { lastAppliedDigest, lastAttemptedRevision, operation } = status ?? {};
  const word = askedWord(sync);
  if (word === undefined || operation === undefined || lastAppliedDigest === undefined) return undefined;
  // The hold is of the present Sync, and of this very operation.
  const { digest, generation, revision } = operation;
  if (generation !== metadata.generation || revision !== lastAttemptedRevision) return undefined;
  if (!commitOf(revision).startsWith(word.split("/", 1)[0] ?? revision)) return undefined;
  for (const reporter of reporters.filter((one) => mayConfirm(one, sync)))
    for (const approval of reporter.status?.approvals ?? []) {
      if (nowMs - Date.parse(approval.at) >= APPROVAL_LASTS_MS || isSpent(approval, sync)) continue;
      const meant = plannedOf(approval, sync);
      if (meant?.digest === digest && meant.before === lastAppliedDigest) return { reporter, approval, word, revision };
    }
  return undefined;
}

/** The word that deletions of a Sync wait for; undefined when none are held. */
export function askedWord({ metadata, status }: Sync): string | undefined {
  const ready = findCondition(status?.conditions, "Ready");
  if (ready?.status !== "False" || ready.reason !== "PruneHeld") return undefined;
  const word = ASKED.exec(ready.message)?.[1];
  return word === metadata.annotations?.[CONFIRM_PRUNE_ANNOTATION] ? undefined : word;
}

/** Approvals that a Sync has come to the end of: it has what was approved, or was given their word. */
export function endedApprovals(sync: Sync, reporter: Reporter): readonly PlanApproval[] {
  const { lastAppliedDigest } = sync.status ?? {};
  return (reporter.status?.approvals ?? []).filter((approval) => {
    const meant = plannedOf(approval, sync);
    const isChange = meant !== undefined && meant.before !== meant.digest;
    return isChange && meant.digest === lastAppliedDigest && !isSpent(approval, sync);
  });
}

/** The approvals, some of which let nothing more be deleted by this Sync. */
export function withSpent(
  approvals: readonly PlanApproval[],
  ended: readonly PlanApproval[],
  sync: Sync,
): PlanApproval[] {
  const isEnded = (one: PlanApproval): boolean =>
    ended.some(({ at, by, pullRequest }) => at === one.at && by === one.by && pullRequest === one.pullRequest);
  return approvals.map((one) =>
    isEnded(one) ? { ...one, spent: [...new Set([...(one.spent ?? []), keyOf(sync)])].sort() } : one,
  );
}

/**
 * Whether a Reporter has a say in what a Sync deletes. It names the host that is asked, so whoever made it must have been
 * permitted where the Sync or its source is.
 */
export function mayConfirm({ metadata, spec }: Reporter, sync: Sync): boolean {
  const { name, namespace = metadata.namespace } = spec.sourceRef;
  const source = sync.spec.sourceRef;
  return (
    spec.commands !== undefined &&
    spec.suspend !== true &&
    metadata.deletionTimestamp === undefined &&
    name === source.name &&
    namespace === (source.namespace ?? sync.metadata.namespace) &&
    [namespace, sync.metadata.namespace].includes(metadata.namespace)
  );
}

function plannedOf({ syncs = [] }: PlanApproval, { metadata }: Sync) {
  return syncs.find(({ name, namespace }) => name === metadata.name && namespace === metadata.namespace);
}

function isSpent({ spent = [] }: PlanApproval, sync: Sync): boolean {
  return spent.includes(keyOf(sync));
}

function commitOf(revision: string): string {
  return revision.slice(revision.lastIndexOf(":") + 1);
}
