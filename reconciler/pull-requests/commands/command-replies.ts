// What is answered to commands, as Markdown of the host in which words of others stay text.
import type { PullRequest } from "../../forges/forge.ts";
import { listBlock } from "../../reports/markdown/blocks.ts";
import { DIALECTS, type DialectName } from "../../reports/markdown/dialects.ts";
import { SafeText } from "../../reports/markdown/text.ts";
import { hashDigits, shortCommit } from "../../reports/words.ts";
import type { CommandDecision } from "./decide-command.ts";
import type { GivenCommand } from "./parse-commands.ts";

/** What became of a wish about drift. */
export type DriftOutcome =
  | { readonly pullRequest: Pick<PullRequest, "number" | "url"> }
  /** Why there is no pull request, and what to do. */
  | { readonly refused: string };

export interface CommandOutcome {
  readonly command: GivenCommand;
  readonly decision: CommandDecision;
  /** Of a decision about drift. */
  readonly drift?: DriftOutcome;
}

export interface ReplyContext {
  readonly dialect: DialectName;
  /** Who asked. */
  readonly by: string;
  /** Of the pull request. */
  readonly head: string;
}

/** The answer to the commands of one comment, without its marker. At least one outcome. */
export function replyText(outcomes: readonly CommandOutcome[], context: ReplyContext): string {
  const text = new SafeText(DIALECTS[context.dialect]);
  const answers = outcomes.map((outcome) => answer(outcome, context, text));
  const [only = ""] = answers;
  if (answers.length === 1) return only;
  return listBlock(answers.map((one, index) => `${text.code(commandText(outcomes[index]?.command))}: ${one}`));
}

/** Whether an answer to them all says more than a sign on the comment does. */
export function isWorthReply(outcomes: readonly CommandOutcome[], hasReactions: boolean): boolean {
  return !hasReactions || outcomes.some(({ decision }) => "refuse" in decision || decision.do !== "plan");
}

/** Whether all of it was done. */
export function isDone({ decision, drift }: CommandOutcome): boolean {
  return !("refuse" in decision) && (drift === undefined || "pullRequest" in drift);
}

function answer({ command, decision, drift }: CommandOutcome, { by, head }: ReplyContext, text: SafeText): string {
  if ("refuse" in decision) return refusal(command, decision.refuse, text);
  const who = text.code(by);
  switch (decision.do) {
    case "plan":
      return `Commit ${text.code(shortCommit(head))} is planned, as ${who} asked.`;
    case "approve": {
      const { approval } = decision;
      const hash = text.code(hashDigits(approval.renderHash).slice(0, 12));
      return `Approved by ${who}: render hash ${hash} of commit ${text.code(shortCommit(approval.head))}. Once it is merged, deletions of exactly this go on without another word, for 30 days. A push that renders to something else takes another approval.`;
    }
    case "drift": {
      if (drift === undefined) return refusal(command, "nothing came of it", text);
      if ("refused" in drift) return refusal(command, drift.refused, text);
      const link = text.link(`pull request ${drift.pullRequest.number}`, drift.pullRequest.url);
      const what = decision.action === "adopt" ? "Git say what the clusters have" : "the clusters decide these fields";
      return `As ${who} asked: ${link} lets ${what}, once it is merged.`;
    }
    case "help":
      return helpText(text);
  }
}

function refusal(command: GivenCommand, reason: string, text: SafeText): string {
  const what = command.type === "unknown" ? `Not understood: ${text.code(command.text)}. ` : "Not done: ";
  return `${what}${text.prose(reason)}${/[.?!]$/.test(reason) ? "" : "."}`;
}

const HELP: readonly (readonly [command: string, what: string])[] = [
  ["/flaghoist plan", "plans the head again, or at all where it waits for that"],
  ["/flaghoist approve HASH", "approves what has this render hash, and nothing else; the plan says the whole line"],
  ["/flaghoist drift adopt KIND/NAME -n NAMESPACE", "opens a pull request by which Git says what clusters have"],
  ["/flaghoist drift ignore KIND/NAME -n NAMESPACE", "opens a pull request by which clusters decide what differs"],
];

function helpText(text: SafeText): string {
  const lines = HELP.map(([command, what]) => `${text.code(command)} ${what}`);
  return `A command stands on a line of its own, in plain words that nobody changed afterwards:\n\n${listBlock(lines)}\n\nBoth of the latter take ${text.code("--field PATH")}, the former ${text.code("--clusters A,B")}.`;
}

/** A command as it was understood. */
function commandText(command: GivenCommand | undefined): string {
  switch (command?.type) {
    case undefined:
      return "";
    case "unknown":
      return command.text;
    case "drift": {
      const { action, object } = command;
      return `/flaghoist drift ${action}${object === undefined ? "" : ` ${object.kind}/${object.name}`}`;
    }
    case "plan":
    case "approve":
    case "help":
      return `/flaghoist ${command.type}`;
  }
}
