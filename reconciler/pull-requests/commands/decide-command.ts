// Whether a command is done, from the whole present state of the pull request.
import type { PlanApproval, ReportedPullRequest, ReporterCommands } from "../../../api/reporter.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { assertNever } from "../../../runtime/errors.ts";
import { type ForgeComment, isPermitted, isSameUser, type Permission, type PullRequest } from "../../forges/forge.ts";
import { hashDigits, shortCommit } from "../../reports/words.ts";
import type { GivenCommand, NamedObject } from "./parse-commands.ts";

/** What a command is decided on. */
export interface CommandSituation {
  /** Of the Reporter, `namespace/name`: for messages. */
  readonly reporter: string;
  readonly commands: ReporterCommands;
  /** Whether pull requests are planned at all (`spec.pullRequests`). */
  readonly plans: boolean;
  readonly pull: PullRequest;
  /** What is remembered of the pull request, as it was before any comment of this step was dealt with. */
  readonly remembered: ReportedPullRequest | undefined;
  readonly approvals: readonly PlanApproval[];
  readonly comment: ForgeComment;
  /** Of the comment's author, in the repository. */
  readonly permission: Permission;
}

export type CommandDecision =
  /** The head is planned again, or at all; `requestedBy` goes into the status. */
  | { readonly do: "plan"; readonly requestedBy: string }
  | { readonly do: "approve"; readonly approval: PlanApproval }
  | {
      readonly do: "drift";
      readonly action: "adopt" | "ignore";
      readonly object: NamedObject | undefined;
      readonly field: string | undefined;
      readonly clusters: readonly string[] | undefined;
    }
  | { readonly do: "help" }
  /** `stranger`: whoever asked may not ask, and is told so once. */
  | { readonly refuse: string; readonly stranger?: true };

export const DEFAULT_COMMAND_PERMISSION: Permission = "write";
export const DEFAULT_APPROVE_PERMISSION: Permission = "maintain";

/**
 * How long a plan must have been shown before an approval that does not name all of it counts: whoever wrote sooner read
 * another one. Also what clocks may differ by.
 */
export const READING_MS = 10_000;
/** As many digits cannot be made to match on purpose. */
const UNMISTAKABLE_HASH = 32;

export function decideCommand(command: GivenCommand, situation: CommandSituation): CommandDecision {
  const { comment, pull } = situation;
  if (comment.isEdited)
    return { refuse: "the comment was changed after it was written, which others may do as well: write a new one" };
  const refused = permissionRefusal(command, situation);
  if (refused !== undefined) return { refuse: refused, stranger: true };
  if (command.type === "unknown") return { refuse: command.advice };
  if (command.type === "help") return { do: "help" };
  if (pull.state !== "open") return { refuse: `the pull request is ${pull.state}` };
  switch (command.type) {
    case "plan":
      return decidePlan(command.head, situation);
    case "approve":
      return decideApproval(command.hash, situation);
    case "drift": {
      const { action, object, field, clusters } = command;
      return { do: "drift", action, object, field, clusters };
    }
    default:
      return assertNever(command);
  }
}

function permissionRefusal(
  { type }: GivenCommand,
  { commands, comment, permission, reporter }: CommandSituation,
): string | undefined {
  const [needed, field] =
    type === "approve"
      ? ([commands.approve ?? DEFAULT_APPROVE_PERMISSION, "approve"] as const)
      : ([commands.permission ?? DEFAULT_COMMAND_PERMISSION, "permission"] as const);
  if (isPermitted(permission, needed)) return undefined;
  const has = permission === "none" ? "no rights" : `the permission \`${permission}\``;
  return `${type === "approve" ? "approving" : "this"} takes the permission \`${needed}\` in the repository, and \`${comment.author.name}\` has ${has} (\`spec.commands.${field}\` of Reporter \`${reporter}\`)`;
}

function decidePlan(wanted: string | undefined, situation: CommandSituation): CommandDecision {
  const { comment, plans, pull, remembered, reporter } = situation;
  if (!plans) return { refuse: `Reporter \`${reporter}\` plans no pull requests (\`spec.pullRequests\`)` };
  const head = pull.head.sha;
  if (wanted !== undefined && !head.startsWith(wanted))
    return { refuse: `the head is \`${shortCommit(head)}\` by now, not \`${wanted.slice(0, 12)}\`: look at that one` };
  // Of a fork, what was looked at is planned and nothing else.
  if (pull.isFork && wanted === undefined && remembered?.head !== head)
    return {
      refuse: `the head moved while it was asked for: look at it, and write \`/flaghoist plan ${head.slice(0, 12)}\``,
    };
  return { do: "plan", requestedBy: comment.author.name };
}

function decideApproval(hash: string | undefined, situation: CommandSituation): CommandDecision {
  const { approvals, comment, commands, pull, remembered } = situation;
  const author = comment.author;
  if (commands.selfApproval !== true && isSameUser(author, pull.author))
    return { refuse: "nobody approves a pull request of their own (`spec.commands.selfApproval`)" };
  const recorded = approvals.find((one) => one.pullRequest === pull.number && one.comment === comment.id);
  // The step that recorded it did not come to its end.
  if (recorded !== undefined) return { do: "approve", approval: recorded };
  const head = pull.head.sha;
  if (remembered === undefined || remembered.head !== head)
    return { refuse: `commit \`${shortCommit(head)}\` is not planned yet: read its plan first, then approve` };
  const { message, renderHash, syncs, state } = remembered;
  if (state !== "Planned" || renderHash === undefined)
    return {
      refuse: `there is no plan of commit \`${shortCommit(head)}\` that could be approved${message === undefined ? "" : `: ${message}`}`,
    };
  if (hash !== undefined && !hashDigits(renderHash).startsWith(hash))
    return {
      refuse: `the plan has the render hash \`${hashDigits(renderHash).slice(0, 12)}\` by now, not \`${hash.slice(0, 12)}\`: read it, and approve that`,
    };
  const shownSince = Date.parse(remembered.shownSince ?? remembered.plannedAt ?? "");
  const isWhole = hash !== undefined && hash.length >= UNMISTAKABLE_HASH;
  if (!isWhole && !(comment.createdAt >= shownSince + READING_MS))
    return {
      refuse: `the plan changed while this was written: read it, and write \`${approveWords(renderHash)}\``,
    };
  const approval: PlanApproval = {
    at: rfc3339(comment.createdAt),
    by: author.name,
    comment: comment.id,
    head,
    pullRequest: pull.number,
    renderHash,
    ...(syncs === undefined ? {} : { syncs }),
  };
  return { do: "approve", approval };
}

/** What a person writes to approve what has this hash, and nothing else that could be made up. */
export function approveWords(renderHash: string): string {
  return `/flaghoist approve ${hashDigits(renderHash).slice(0, UNMISTAKABLE_HASH)}`;
}
