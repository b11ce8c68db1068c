// Lets comments of a pull request be dealt with, and writes down that they were.
import type { Reporter } from "../../../api/reporter.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { Call, PullRequest } from "../../forges/forge.ts";
import { withApproval } from "../../pull-requests/commands/approvals.ts";
import { type CommandPorts, carryOutCommands } from "../../pull-requests/commands/carry-out-commands.ts";
import { keyOf } from "../sync/git-repository.ts";
import type { ReporterForge } from "./open-reporter-forge.ts";
import { plainPath } from "./plan-job.ts";
import { answeredEntry } from "./pull-entries.ts";
import type { ReporterStatuses } from "./reporter-statuses.ts";

/** Opens pull requests about drift, as a comment in `pull` asks for. */
export type DriftOpener = (
  reporter: Reporter,
  opened: ReporterForge,
  pull: PullRequest,
  wish: Parameters<CommandPorts["openDrift"]>[0],
  call: Call,
) => ReturnType<CommandPorts["openDrift"]>;

export interface AnswerOptions {
  readonly clock: Clock;
  readonly statuses: ReporterStatuses;
  readonly openDrift: DriftOpener;
}

/** Nothing is read where nobody is to be listened to. Throws what the host throws. */
export async function answerCommands(
  { clock, openDrift, statuses }: AnswerOptions,
  reporter: Reporter,
  opened: ReporterForge,
  pull: PullRequest,
  call: Call,
): Promise<void> {
  const { metadata, spec, status } = reporter;
  if (spec.commands === undefined || pull.state !== "open") return;
  const key = keyOf(reporter);
  const nowMs = clock.now();
  const { failure, replan, ...handled } = await carryOutCommands(
    opened.forge,
    {
      reporter: key,
      commands: spec.commands,
      plans: spec.pullRequests !== undefined,
      path: plainPath(spec.path),
      pull,
      remembered: status?.pullRequests?.find(({ number }) => number === pull.number),
      approvals: status?.approvals ?? [],
      createdMs: Date.parse(metadata.creationTimestamp ?? "") || 0,
      nowMs,
    },
    {
      recordApproval: (approval) =>
        statuses.change(key, (now) => ({ approvals: withApproval(now.status?.approvals ?? [], approval, nowMs) })),
      openDrift: (wish, within) => openDrift(reporter, opened, pull, wish, within),
    },
    call,
  );
  if (handled.commandsUntil !== undefined || replan !== undefined)
    await statuses.changePull(key, pull.number, (before) => answeredEntry(before, pull, handled, replan));
  if (failure !== undefined) throw failure;
}
