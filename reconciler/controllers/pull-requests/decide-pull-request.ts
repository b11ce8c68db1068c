// What becomes of one pull request, from what its host says of it, what the Reporter wants, and what was said already.
import type { ReportedPullRequest, ReporterSpec } from "../../../api/reporter.ts";
import type { PullRequest } from "../../forges/forge.ts";

export interface PullRequestSituation {
  readonly pull: PullRequest;
  readonly spec: Pick<ReporterSpec, "commands" | "pullRequests">;
  /** The branch that the source follows; undefined: none, or it is not known yet. */
  readonly sourceBranch: string | undefined;
  /** What was said of it last; undefined: nothing. */
  readonly remembered: ReportedPullRequest | undefined;
  /** Whether a comment of ours stands there. */
  readonly isSaid: boolean;
  /** Whether an attempt that failed is to be made once more. */
  readonly mayRetry: boolean;
}

/**
 * plan: why it is planned is for the log. wait: until somebody asks for it. skip: it is not to be planned. forget: nobody
 * waits for it any more. nothing: all is said.
 */
export type PullRequestDecision =
  | { readonly do: "plan"; readonly why: string }
  | { readonly do: "wait"; readonly message: string }
  | { readonly do: "skip"; readonly message: string }
  | { readonly do: "forget" }
  | { readonly do: "nothing" };

/** Decides what to do about a pull request now. */
export function decidePullRequest(situation: PullRequestSituation): PullRequestDecision {
  const { isSaid, mayRetry, pull, remembered, spec } = situation;
  if (pull.state !== "open") return { do: "forget" };
  const unwanted = whyUnwanted(situation);
  if (unwanted !== undefined) return { do: "skip", message: unwanted };
  const known = remembered?.head === pull.head.sha ? remembered : undefined;
  // Asked for was this head: what is pushed after it, nobody has looked at.
  if (pull.isFork && (spec.pullRequests?.forks ?? "ask") === "ask" && known?.requestedBy === undefined)
    return { do: "wait", message: waitingWords(spec) };
  if (remembered === undefined) return { do: "plan", why: "new" };
  if (known === undefined) return { do: "plan", why: "new head" };
  if (known.baseBranch !== undefined && known.baseBranch !== pull.base.branch) return { do: "plan", why: "new base" };
  // Also what was asked for, and what was planned under another spec.
  if (known.plannedAt === undefined) return { do: "plan", why: "not planned" };
  if (known.state === "Planned" && !isSaid) return { do: "plan", why: "comment is gone" };
  if (known.state === "Failed" && mayRetry) return { do: "plan", why: "failed before" };
  return { do: "nothing" };
}

/** Why a pull request is not planned, whatever is asked; undefined: it may be. */
function whyUnwanted({ pull, spec, sourceBranch }: PullRequestSituation): string | undefined {
  const { pullRequests } = spec;
  if (pullRequests === undefined) return "spec.pullRequests is empty";
  const { branches = [], drafts = true, forks = "ask", labels = [] } = pullRequests;
  if (branches.length === 0 && sourceBranch === undefined)
    return "which branch the source follows is not known: set spec.pullRequests.branches";
  const bases = branches.length === 0 ? [sourceBranch ?? ""] : branches;
  if (!bases.some((pattern) => matchesPattern(pattern, pull.base.branch)))
    return `its base ${pull.base.branch} is none of ${bases.join(", ")}`;
  if (labels.length > 0 && !labels.some((label) => pull.labels.includes(label)))
    return `it has none of the labels ${labels.join(", ")}`;
  if (!drafts && pull.draft) return "it is a draft";
  if (forks === "ignore" && pull.isFork) return "it comes from another repository";
  return undefined;
}

function waitingWords({ commands }: Pick<ReporterSpec, "commands">): string {
  return commands === undefined
    ? "it comes from another repository, and nobody can ask for a plan: spec.commands is empty"
    : `it comes from another repository: waits for /flaghoist plan by somebody with permission ${commands.permission ?? "write"}`;
}

/** Whether a name is as a pattern says, in which `*` is anything. Takes no longer for any name. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
