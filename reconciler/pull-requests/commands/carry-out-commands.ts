// Does what comments of a pull request ask for. What is done is recorded before it is answered, and the answer is the
// record that remains: whoever is interrupted anywhere runs again and comes to the same.
import type { PlanApproval, ReportedPullRequest, ReporterCommands } from "../../../api/reporter.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Call, Forge, ForgeComment, ForgeUser, Permission, PullRequest, Reaction } from "../../forges/forge.ts";
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
  /** Whose wish it is that the head is planned again, also by an approval; undefined when nobody asked. */
  readonly replan: string | undefined;
  /** Why comments are left that are to be dealt with again; the first reason. */
  readonly failure: AppError | undefined;
}

/**
 * Deals with the comments that wait. `commandsUntil` and `handledCommands` of the result belong into the Reporter's
 * status, in one write with what `replan` means. One that cannot be dealt with keeps no other from it. Throws what reading
 * the comments does.
 */
export async function carryOutCommands(
  forge: Forge,
  subject: CommandSubject,
  ports: CommandPorts,
  call: Call,
): Promise<CarriedOut> {
  const { createdMs, nowMs, pull, remembered, reporter } = subject;
  const me = await forge.whoAmI(call);
  const comments = await forge.comments(pull.number, call, isOfInterest({ me }));
  const reader = { me, hidden: forge.limits.markdown.hidden, reporter, createdMs, nowMs };
  const dealing = new Dealing(forge, subject, ports, call);
  const handled: ForgeComment[] = [];
  const waiting: ForgeComment[] = [];
  let failure: AppError | undefined;
  for (const pending of pendingCommands(comments, remembered, reader)) {
    try {
      await dealing.with(pending);
      handled.push(pending.comment);
    } catch (error) {
      if (call.signal.aborted || !(error instanceof AppError)) throw error;
      failure ??= error;
      waiting.push(pending.comment);
    }
  }
  const { replan } = dealing;
  return { ...rememberHandled(comments, remembered, { handled, waiting }, subject), replan, failure };
}

/** What one comment comes to is there for the next. */
class Dealing {
  readonly #forge: Forge;
  readonly #subject: CommandSubject;
  readonly #ports: CommandPorts;
  readonly #call: Call;
  readonly #permissions = new Map<string, Permission>();
  #approvals: readonly PlanApproval[];
  replan: string | undefined;

  constructor(forge: Forge, subject: CommandSubject, ports: CommandPorts, call: Call) {
    this.#forge = forge;
    this.#subject = subject;
    this.#ports = ports;
    this.#call = call;
    this.#approvals = subject.approvals;
  }

  async with(pending: PendingCommands): Promise<void> {
    const { comment, commands } = pending;
    const permission = await this.#permissionOf(comment.author);
    const outcomes: CommandOutcome[] = [];
    for (const command of commands) {
      const situation = { ...this.#subject, approvals: this.#approvals, comment, permission };
      const decision = decideCommand(command, situation);
      outcomes.push({ command, decision, ...(await this.#act(decision, comment.author)) });
    }
    await tell(this.#forge, this.#subject, pending, outcomes, this.#call);
  }

  async #permissionOf(author: ForgeUser): Promise<Permission> {
    const user = author.id ?? author.name;
    const permission = this.#permissions.get(user) ?? (await this.#forge.permissionOf(author, this.#call));
    this.#permissions.set(user, permission);
    return permission;
  }

  async #act(decision: CommandDecision, { name }: ForgeUser): Promise<Pick<CommandOutcome, "drift">> {
    if ("refuse" in decision || decision.do === "help") return {};
    if (decision.do === "plan") this.replan = decision.requestedBy;
    if (decision.do === "drift")
      return { drift: await openDrift(this.#ports, { ...decision, requestedBy: name }, this.#call) };
    if (decision.do === "approve") {
      this.#approvals = withApproval(this.#approvals, decision.approval, this.#subject.nowMs);
      await this.#ports.recordApproval(decision.approval);
      await tellApproved(this.#forge, this.#subject, this.#approvals, this.#call);
      // Its check says otherwise from now on.
      if (this.#subject.plans) this.replan ??= name;
    }
    return {};
  }
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
