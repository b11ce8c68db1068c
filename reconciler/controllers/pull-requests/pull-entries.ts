// What is remembered of a pull request in its Reporter's status.
import type { ReportedPullRequest } from "../../../api/reporter.ts";
import type { PullRequest } from "../../forges/forge.ts";
import type { HandledCommands } from "../../pull-requests/commands/pending-commands.ts";

/** What a step has come to about a head. */
export type EntryNews = Omit<ReportedPullRequest, "number" | "head" | "baseBranch" | keyof HandledCommands>;

/** The next entry: of what was there, who asked for this head and which comments are dealt with stays. */
export function nextEntry(
  before: ReportedPullRequest | undefined,
  pull: PullRequest,
  news: EntryNews,
): ReportedPullRequest {
  const requestedBy = sameHead(before, pull)?.requestedBy;
  return {
    ...placeOf(pull),
    ...handledIn(before),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...news,
  };
}

/** The entry after comments were dealt with; `replan`: who wants the head to be planned again. */
export function answeredEntry(
  before: ReportedPullRequest | undefined,
  pull: PullRequest,
  handled: HandledCommands,
  replan: string | undefined,
): ReportedPullRequest {
  if (before === undefined || (replan !== undefined && before.head !== pull.head.sha))
    return {
      ...placeOf(pull),
      state: "Skipped",
      message: "not looked at yet",
      ...handled,
      ...(replan === undefined ? {} : { requestedBy: replan }),
    };
  if (replan === undefined) return { ...before, ...handled };
  return { ...unplanned(before), ...handled, requestedBy: replan };
}

/** The same, to be planned again. */
export function unplanned(before: ReportedPullRequest): ReportedPullRequest {
  const { plannedAt: _, ...rest } = before;
  return rest;
}

/** What is remembered of this head. */
export function sameHead(
  before: ReportedPullRequest | undefined,
  { head }: PullRequest,
): ReportedPullRequest | undefined {
  return before?.head === head.sha ? before : undefined;
}

function placeOf({ base, head, number }: PullRequest): Pick<ReportedPullRequest, "number" | "head" | "baseBranch"> {
  return { number, head: head.sha, baseBranch: base.branch };
}

function handledIn(before: ReportedPullRequest | undefined): HandledCommands {
  const { commandsUntil, handledCommands } = before ?? {};
  return {
    ...(commandsUntil === undefined ? {} : { commandsUntil }),
    ...(handledCommands === undefined ? {} : { handledCommands }),
  };
}
