// Which comments of a pull request hold commands that nobody has dealt with. What was dealt with is in the Reporter's
// status and, should that be lost, in our replies: each names the comment that it answers.
import type { ReportedPullRequest } from "../../../api/reporter.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import {
  type ForgeComment,
  type ForgeLimits,
  type ForgeUser,
  isSameUser,
  type KeepComment,
} from "../../forges/forge.ts";
import { markerLine } from "../../forges/marker.ts";
import { type GivenCommand, mayHoldCommands, parseCommands } from "./parse-commands.ts";

export interface PendingCommands {
  readonly comment: ForgeComment;
  /** At least one. */
  readonly commands: readonly GivenCommand[];
}

export interface CommentReader {
  /** Whose credentials we have. */
  readonly me: ForgeUser;
  readonly hidden: ForgeLimits["markdown"]["hidden"];
  /** Of the Reporter: `namespace/name`. */
  readonly reporter: string;
}

export interface CommandTimes {
  /** When the Reporter was made. */
  readonly createdMs: number;
  readonly nowMs: number;
}

/** Of what is remembered of a pull request. */
export type HandledCommands = Pick<ReportedPullRequest, "commandsUntil" | "handledCommands">;

/** Where a pull request is seen first, older commands are none: nobody may have listened when they were written. */
export const OLDEST_COMMAND_MS = 24 * 3_600_000;
/** How late a host may show a comment, and clocks may be off. */
const SETTLED_MS = 3_600_000;
/** Comments of one step; the others come next. */
const MOST_COMMENTS = 20;
const MOST_IDS = 200;

/** Which reply of ours it is. */
export function replyMarker(reporter: string, commentId: string): string {
  return `reply ${reporter} ${commentId}`;
}

/** What has to be read of a pull request's comments: commands of others, and replies of ours. */
export function isOfInterest({ me }: Pick<CommentReader, "me">): KeepComment {
  return ({ author, body }) => isSameUser(author, me) || (author.isBot !== true && mayHoldCommands(body));
}

/**
 * Comments with commands that are to be dealt with now, the oldest first. `comments` are all that `isOfInterest` keeps.
 * Programs are not listened to: they repeat what others wrote.
 */
export function pendingCommands(
  comments: readonly ForgeComment[],
  remembered: HandledCommands | undefined,
  { me, hidden, reporter, ...times }: CommentReader & CommandTimes,
): readonly PendingCommands[] {
  const since = beginOf(remembered, times);
  const handled = new Set(remembered?.handledCommands);
  const own = comments.filter(({ author }) => isSameUser(author, me));
  const replies = new Set(own.map(({ body }) => body.trimStart().split(/\r?\n/, 1)[0]?.trim()));
  return comments
    .filter(
      ({ author, createdAt, id }) =>
        createdAt >= since &&
        author.isBot !== true &&
        !isSameUser(author, me) &&
        !handled.has(id) &&
        !replies.has(markerLine(hidden, replyMarker(reporter, id))),
    )
    .map((comment) => ({ comment, commands: parseCommands(comment.body) }))
    .filter(({ commands }) => commands.length > 0)
    .toSorted((a, b) => a.comment.createdAt - b.comment.createdAt)
    .slice(0, MOST_COMMENTS);
}

/**
 * What is to be remembered once `handled` were dealt with, and `waiting` were not: those are found again, and comments that
 * appear late, as ids of the last while are kept. The same as before when nothing was dealt with.
 */
export function rememberHandled(
  comments: readonly ForgeComment[],
  remembered: HandledCommands | undefined,
  { handled, waiting = [] }: { readonly handled: readonly ForgeComment[]; readonly waiting?: readonly ForgeComment[] },
  times: CommandTimes,
): HandledCommands {
  const { commandsUntil, handledCommands = [] } = remembered ?? {};
  if (handled.length === 0)
    return commandsUntil === undefined ? {} : { commandsUntil, handledCommands: [...handledCommands] };
  const newest = Math.max(...handled.map(({ createdAt }) => createdAt));
  const oldest = Math.min(...waiting.map(({ createdAt }) => createdAt));
  const settled = Math.max(beginOf(remembered, times), Math.min(newest - SETTLED_MS, oldest));
  const known = new Set([...handledCommands, ...handled.map(({ id }) => id)]);
  const kept = [...new Map([...comments, ...handled].map((one) => [one.id, one])).values()]
    .filter(({ id, createdAt }) => known.has(id) && createdAt >= settled)
    .toSorted((a, b) => a.createdAt - b.createdAt);
  const last = kept.slice(-MOST_IDS);
  const until = kept.length > last.length ? Math.max(settled, Math.min(last[0]?.createdAt ?? 0, oldest)) : settled;
  return { commandsUntil: rfc3339(until), handledCommands: last.map(({ id }) => id) };
}

/** From when on comments may be commands. */
function beginOf(remembered: HandledCommands | undefined, { createdMs, nowMs }: CommandTimes): number {
  const until = remembered?.commandsUntil;
  return until === undefined ? Math.max(createdMs, nowMs - OLDEST_COMMAND_MS) : Date.parse(until);
}
