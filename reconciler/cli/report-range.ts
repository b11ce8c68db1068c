// The two commits that a report compares, in the checkout at hand.
import { AppError } from "../../runtime/errors.ts";
import { openWorkingCopy, type WorkingCopy } from "../../sources/git/working-copy.ts";
import type { PullRequest } from "../forges/forge.ts";
import { type Invocation, stringOption } from "./command.ts";
import type { ReportTarget } from "./report-target.ts";

export interface ReportRange {
  /** `A..B` or `A...B`, of whole commits. */
  readonly range: string;
  /** The commit that is planned. */
  readonly head: string;
  readonly base: string;
  /** Of branches, where they are known. */
  readonly headName: string | undefined;
  readonly baseName: string | undefined;
}

/**
 * From where the head of the pull request parted from its base to that head, or what `--base` says. Nothing is fetched.
 * Throws `report-commit-missing` with what to fetch, and what the working copy throws.
 */
export function findReportRange(
  invocation: Invocation,
  target: ReportTarget,
  pull: PullRequest | undefined,
): ReportRange {
  const copy = openWorkingCopy(invocation.io.cwd);
  try {
    const { run } = target;
    const told = stringOption(invocation, "base");
    const names = { headName: pull?.head.branch, baseName: pull?.base.branch ?? run?.baseBranch };
    const headName = run?.head ?? pull?.head.sha ?? "HEAD";
    if (told?.includes("..") === true) {
      const { base, head } = copy.resolveRange(told);
      return { range: `${base.oid}..${head.oid}`, head: head.oid, base: base.oid, ...names, baseName: undefined };
    }
    const head = firstOf(copy, [headName]);
    if (head === undefined) throw headMissing(headName, target, pull);
    const branch = names.baseName;
    const candidates =
      told === undefined
        ? [run?.base, pull?.base.sha, branch && `origin/${branch}`, branch].filter(
            (name) => name !== undefined && name !== "",
          )
        : [told];
    const base = firstOf(copy, candidates);
    if (base === undefined) throw baseMissing(candidates, branch);
    const { base: parted } = copy.resolveRange(`${base}...${head}`);
    return {
      range: `${parted.oid}..${head}`,
      head,
      base: parted.oid,
      ...names,
      ...(told === undefined ? {} : { baseName: told }),
    };
  } finally {
    copy.close();
  }
}

function firstOf(copy: WorkingCopy, names: readonly (string | undefined)[]): string | undefined {
  for (const name of names) {
    try {
      if (name !== undefined) return copy.resolve(name).oid;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "git-ref-not-found") throw error;
    }
  }
  return undefined;
}

const WHOLE =
  "check out the whole history (GitHub: fetch-depth: 0; GitLab: GIT_DEPTH: 0; others: git fetch --unshallow)";

function headMissing(head: string, { pullRequest }: ReportTarget, pull: PullRequest | undefined): AppError {
  const ref = pull?.head.ref;
  const advice = ref === undefined ? WHOLE : `${WHOLE}, or fetch it: git fetch origin ${ref}`;
  return missing(`the head ${head.slice(0, 7)} of pull request ${pullRequest} is not in this checkout: ${advice}`);
}

function baseMissing(candidates: readonly (string | undefined)[], branch: string | undefined): AppError {
  if (candidates.length === 0)
    return missing("what the pull request is compared with is not known: name it with --base REF");
  const advice = branch === undefined ? WHOLE : `${WHOLE}, or fetch it: git fetch origin ${branch}`;
  return missing(`the base ${candidates.join(", ")} is not in this checkout: ${advice}`);
}

function missing(message: string): AppError {
  return new AppError("report-commit-missing", message, { recovery: "stall" });
}
