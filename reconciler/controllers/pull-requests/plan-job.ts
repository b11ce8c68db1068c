// From a pull request to the words on it: its commits are fetched, a child without rights makes the report, and it is written.
import { DEFAULT_PLAN_MEMORY, DEFAULT_PLAN_TIMEOUT, type Reporter, type ReporterSpec } from "../../../api/reporter.ts";
import { parseQuantity, quantityNumber } from "../../../kube/quantity.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import type { GitCredentials } from "../../../sources/git/credentials.ts";
import type { PullRequest } from "../../forges/forge.ts";
import { type PlanMarker, planCheckName, planMarker } from "../../pull-requests/publish-plan.ts";
import type { PlanJob, PlanLimits } from "../../pull-requests/sandbox/plan-job.ts";
import type { PlanWish, WrittenPlan } from "../../pull-requests/written-plan.ts";
import { keyOf } from "../sync/git-repository.ts";
import type { FairSlots } from "./fair-slots.ts";
import type { ReporterForge } from "./open-reporter-forge.ts";

/** Makes the plan of fetched commits, in a process of its own, and puts it into words. */
export type Planner = (
  job: PlanJob,
  wish: PlanWish,
  options: { readonly limits: PlanLimits; readonly signal: AbortSignal },
) => Promise<WrittenPlan>;

/** The two commits of a pull request, of the repository that its base branch is in; no other is asked. */
export interface RevisionRequest {
  /** `namespace/name` of the Reporter. */
  readonly owner: string;
  readonly url: string;
  readonly credentials?: GitCredentials | undefined;
  readonly timeoutMs?: number | undefined;
  /** `refs`: those that may lead to it, in order. */
  readonly head: { readonly sha: string; readonly refs: readonly string[] };
  readonly baseBranch: string;
}

export interface FetchedRevisions {
  /** Git directory that stays until `release`. */
  readonly directory: string;
  readonly head: string;
  /** Where the head left the base branch. */
  readonly base: string;
  release(): void;
}

export interface RevisionOwner {
  readonly owner: string;
  readonly url: string;
}

/** Fetches what is compared. */
export interface RevisionSource {
  fetch(request: RevisionRequest, options: { readonly signal: AbortSignal }): Promise<FetchedRevisions>;
  forget(owner: string): void;
  sweep(owners: readonly RevisionOwner[]): void;
}

/** A plan, and the commit that the head was compared with. */
export interface MadePlan extends WrittenPlan {
  readonly base: string;
}

export interface PlanPlace {
  readonly revisions: RevisionSource;
  readonly planner: Planner;
  readonly compatibility: PlanJob["compatibility"];
  readonly fetchSlots: FairSlots;
  readonly planSlots: FairSlots;
}

/** Longest report that is taken from a child. */
const OUTPUT_BYTES = 64 << 20;

/** Fetches and plans, each when there is a slot for it. Throws what these throw, and what the signal aborts with. */
export async function makePullRequestPlan(
  place: PlanPlace,
  reporter: Reporter,
  opened: ReporterForge,
  pull: PullRequest,
  marker: PlanMarker,
  signal: AbortSignal,
): Promise<MadePlan> {
  const owner = keyOf(reporter);
  const revisions = await place.fetchSlots.run(owner, signal, () =>
    place.revisions.fetch(comparedRequest(owner, opened, pull), { signal }),
  );
  try {
    const job = planJob(reporter, opened, pull, revisions, place.compatibility);
    const limits = planLimits(reporter);
    const wish = planWish(reporter, opened, pull, marker);
    const made = await place.planSlots.run(owner, signal, () => place.planner(job, wish, { limits, signal }));
    return { ...made, base: revisions.base };
  } finally {
    revisions.release();
  }
}

/** What is asked of Git: nothing of a fork. */
export function comparedRequest(
  owner: string,
  { remote }: ReporterForge,
  { base, head, isFork }: PullRequest,
): RevisionRequest {
  return {
    owner,
    url: remote.url,
    ...(remote.credentials === undefined ? {} : { credentials: remote.credentials }),
    ...(remote.timeoutMs === undefined ? {} : { timeoutMs: remote.timeoutMs }),
    head: {
      sha: head.sha,
      // A branch of a fork may be called like one of ours.
      refs: [...(head.ref === undefined ? [] : [head.ref]), ...(isFork ? [] : [`refs/heads/${head.branch}`])],
    },
    baseBranch: base.branch,
  };
}

function planJob(
  { spec }: Reporter,
  { forge, remote }: ReporterForge,
  pull: PullRequest,
  { base, directory, head }: FetchedRevisions,
  compatibility: PlanJob["compatibility"],
): PlanJob {
  const { drift = true, liveValues = "show" } = spec.pullRequests ?? {};
  return {
    directory,
    head,
    base,
    path: plainPath(spec.path),
    repository: remote.url,
    branch: pull.base.branch,
    subject: {
      repository: forge.url,
      base: { name: pull.base.branch, commit: base },
      head: { name: pull.head.branch, commit: head },
    },
    compatibility,
    drift,
    hideLive: liveValues === "hide",
  };
}

function planWish({ spec }: Reporter, { forge }: ReporterForge, { head }: PullRequest, marker: PlanMarker): PlanWish {
  const { kind, limits, url } = forge;
  return {
    comment: { kind, url, limits, marker: planMarker(marker), head: head.sha },
    check: isChecked(spec) ? { name: planCheckName(marker), limits: limits.check } : undefined,
    takesApprovals: spec.commands !== undefined,
  };
}

/** Whether plans are said by a check, too. */
export function isChecked({ pullRequests }: ReporterSpec): boolean {
  return pullRequests?.check ?? true;
}

/** The folder of a Reporter as plans name it: without dots and slashes around it. */
export function plainPath(path = ""): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

function planLimits({ spec }: Reporter): PlanLimits {
  const { memory = DEFAULT_PLAN_MEMORY, timeout = DEFAULT_PLAN_TIMEOUT } = spec.pullRequests?.limits ?? {};
  return {
    timeoutMs: parseDuration(timeout),
    memoryBytes: quantityNumber(parseQuantity(memory)),
    outputBytes: OUTPUT_BYTES,
  };
}
