// Does what comments of a pull request ask for. What is done is recorded before it is answered, and the answer is the
// record that remains: whoever is interrupted anywhere runs again and comes to the same.
import type { PlanApproval, ReportedPullRequest, ReporterCommands } from "../../../api/reporter.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Call, Forge, ForgeComment, Permission, PullRequest, Reaction } from "../../forges/forge.ts";
import { publishStickyComment } from "../../forges/sticky-comment.ts";
import { approvalContext, approvalOf, approvalStatus, withApproval } from "./approvals.ts";
import { type CommandOutcome, type DriftOutcome, isDone, isWorthReply, replyText } from "./command-replies.ts";
import { type CommandDecision, decideCommand } from "./decide-command.ts";
import {
  type CommandTimes,
  type HandledCommands,
  isOfInterest,
  type PendingCommands,
  pendingCommands,
  rememberHandled,
  replyMarker,
} from "./pending-commands.ts";

export interface CommandSubject extends CommandTimes {
  /** Of the Reporter: `namespace/name`. */
  readonly reporter: string;
  readonly commands: ReporterCommands;
  /** Whether pull requests are planned at all. */
  readonly plans: boolean;
  /** The folder that is planned. */
  readonly path: string;
  readonly pull: PullRequest;
  readonly remembered: ReportedPullRequest | undefined;
  readonly approvals: readonly PlanApproval[];
  /** All that `isOfInterest` keeps, where they were read already. */
  readonly comments?: readonly ForgeComment[] | undefined;
}

export type DriftWish = Extract<CommandDecision, { readonly do: "drift" }> & { readonly requestedBy: string };

/** What is not done at the host. */
export interface CommandPorts {
  /** Writes it into the Reporter's status; resolves once it is there. */
  readonly recordApproval: (approval: PlanApproval) => Promise<void>;
  /** The same wish again finds the same pull request. */
  readonly openDrift: (wish: DriftWish, call: Call) => Promise<DriftOutcome>;
}

export interface CarriedOut extends HandledCommands {
  /** Whose wish it is that the head is planned again; undefined when nobody asked. */
  readonly replan: string | undefined;
}

/**
 * Deals with the comments that wait. `commandsUntil` and `handledCommands` of the result belong into the Reporter's
 * status, in one write with what `replan` means. Throws what the host and the ports throw; comments that were dealt
 * with until then have their answers.
 */
export async function carryOutCommands(
  forge: Forge,
  subject: CommandSubject,
  ports: CommandPorts,
  call: Call,
): Promise<CarriedOut> {
  const { createdMs, nowMs, pull, remembered, reporter } = subject;
  const me = await forge.whoAmI(call);
  const comments = subject.comments ?? (await forge.comments(pull.number, call, isOfInterest({ me })));
  const reader = { me, hidden: forge.limits.markdown.hidden, reporter, createdMs, nowMs };
  const pending = pendingCommands(comments, remembered, reader);
  const permissions = new Map<string, Permission>();
  let { approvals } = subject;
  let replan: string | undefined;
  for (const one of pending) {
    const { author } = one.comment;
    const user = author.id ?? author.name;
    const permission = permissions.get(user) ?? (await forge.permissionOf(author, call));
    permissions.set(user, permission);
    const outcomes: CommandOutcome[] = [];
    for (const command of one.commands) {
      const decision = decideCommand(command, { ...subject, approvals, comment: one.comment, permission });
      outcomes.push({ command, decision, ...(await act(decision)) });
    }
    await tell(forge, subject, one, outcomes, call);

    async function act(decision: CommandDecision): Promise<Pick<CommandOutcome, "drift">> {
      if ("refuse" in decision || decision.do === "help") return {};
      if (decision.do === "plan") replan = decision.requestedBy;
      if (decision.do === "drift")
        return { drift: await openDrift(ports, { ...decision, requestedBy: author.name }, call) };
      if (decision.do === "approve") {
        approvals = withApproval(approvals, decision.approval, nowMs);
        await ports.recordApproval(decision.approval);
        await tellApproved(forge, subject, approvals, call);
      }
      return {};
    }
  }
  const handled = pending.map(({ comment }) => comment);
  return { ...rememberHandled(comments, remembered, handled, subject), replan };
}

async function openDrift(ports: CommandPorts, wish: DriftWish, call: Call): Promise<DriftOutcome> {
  try {
    return await ports.openDrift(wish, call);
  } catch (error) {
    // What takes a person is told to the person who asked; everything else is tried again.
    if (error instanceof AppError && error.recovery === "stall") return { refused: error.message };
    throw error;
  }
}

async function tellApproved(
  forge: Forge,
  { path, pull, remembered }: CommandSubject,
  approvals: readonly PlanApproval[],
  call: Call,
): Promise<void> {
  // What another head renders to is said once that is known.
  if (remembered?.head !== pull.head.sha) return;
  const { renderHash } = remembered;
  if (approvalOf(approvals, pull.number, renderHash) === undefined) return;
  const state = { context: approvalContext(path), pull, renderHash, needed: undefined, approvals };
  await forge.setStatus(pull.head.sha, approvalStatus(state), call);
}

/** Whoever may not ask is told so once in a pull request, however often they ask. */
async function tell(
  forge: Forge,
  { pull, reporter }: CommandSubject,
  { comment }: PendingCommands,
  outcomes: readonly CommandOutcome[],
  call: Call,
): Promise<void> {
  const { author } = comment;
  const strangers = outcomes.filter(({ decision }) => "stranger" in decision);
  const isStranger = strangers.length === outcomes.length;
  const shown = isStranger ? strangers.slice(0, 1) : outcomes;
  if (isWorthReply(shown, forge.limits.reactions)) {
    const marker = isStranger ? `refusal ${reporter} ${author.id ?? author.name}` : replyMarker(reporter, comment.id);
    const body = replyText(shown, { dialect: forge.kind, by: author.name, head: pull.head.sha });
    await publishStickyComment(forge, pull.number, marker, body, call);
  }
  await sign(forge, pull, comment, signOf(outcomes), call);
}

function signOf(outcomes: readonly CommandOutcome[]): Reaction {
  if (!outcomes.every(isDone)) return "refused";
  return outcomes.some(({ decision }) => "do" in decision && decision.do === "plan") ? "seen" : "done";
}

/** A sign says nothing that is not said elsewhere: without the right to leave one, all the rest goes on. */
async function sign(
  forge: Forge,
  { number }: PullRequest,
  { id }: ForgeComment,
  reaction: Reaction,
  call: Call,
): Promise<void> {
  try {
    await forge.react(number, id, reaction, call);
  } catch (error) {
    if (call.signal.aborted || !(error instanceof AppError)) throw error;
  }
}
