import type { PlanReport } from "../../../api/plan-report.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Forge, PullRequest } from "../../forges/forge.ts";
import { withMarker } from "../../forges/marker.ts";
import { openForge } from "../../forges/open-forge.ts";
import { PROVIDERS } from "../../forges/repository-address.ts";
import {
  DEFAULT_NAME,
  isSameCommit,
  type PlanComment,
  type PlanMarker,
  type PublishedPlan,
  planCheck,
  planCheckName,
  planComment,
  planMarker,
  publishPlan,
  RUN_LOG,
} from "../../pull-requests/publish-plan.ts";
import { planText } from "../../reports/plan-text.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  READING_OPTIONS,
  stringOption,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { paint, print } from "../output.ts";
import { PLAN_OPTIONS, planExitCode, planFolder } from "../plan-request.ts";
import { findReportRange, type ReportRange } from "../report-range.ts";
import { type ReportTarget, readReportTarget, TARGET_OPTIONS } from "../report-target.ts";
import { openSourceFolder } from "../source-folder.ts";
import { INTERPRETATION_OPTIONS, withInterpreters } from "../world-interpretation.ts";

export const reportCommand: Command = {
  name: "report",
  summary: "say in a pull request what it would do in every cluster",
  usage: "[PATH] [--base REF|A..B] [--sync NAMESPACE/NAME] [--dry-run] [--exit-code]",
  description:
    "Plans the pull request that a pipeline runs for, as 'flaghoist plan' does, and says it there: one comment, edited in place, and a check of its head with remarks on the lines concerned. Finds the pull request, its commits and a token by the variables of GitHub Actions, GitLab CI, Gitea and Forgejo Actions, Bitbucket and Azure Pipelines, or by options. Sends nothing when all of it is said already, or when the head is another one by now. Writes nothing to the control plane.",
  options: {
    base: {
      type: "string",
      value: "REF",
      help: "compare with this revision (from where the head parted), or a range A..B (default: the pull request's own)",
    },
    ...TARGET_OPTIONS,
    name: {
      type: "string",
      value: "NAME",
      help: "of this installation, where several report in one pull request: each has a comment of its own",
    },
    "no-check": { type: "boolean", help: "only the comment, for a token that may not write checks or statuses" },
    "dry-run": { type: "boolean", help: "print what would be said; send nothing" },
    ...PLAN_OPTIONS,
    // Webhooks that a pull request brings may be anywhere, and are not asked.
    compatibility: INTERPRETATION_OPTIONS["compatibility"] ?? { type: "string", help: "" },
    ...READING_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["report", "in a pipeline of a pull request: everything that it changes"],
    ["report apps/shop --snapshot fleet.snapshot", "of one folder, without reaching the control plane"],
    ["report --dry-run", "what it would say"],
    [
      "report --repository https://git.example.com/acme/shop.git --provider gitea --pull-request 7 --token-file token",
      "from anywhere",
    ],
  ],
  run: async (invocation) => {
    const target = readReportTarget(invocation);
    const forge = target.credentials === undefined ? undefined : openTarget(target, target.credentials);
    try {
      return await report(invocation, target, forge);
    } finally {
      forge?.close();
    }
  },
};

function openTarget(target: ReportTarget, credentials: NonNullable<ReportTarget["credentials"]>): Forge {
  const { address, baseUrl, repository, user } = target;
  return openForge({
    repository,
    kind: address.kind,
    baseUrl,
    credentials,
    user,
    clock: systemClock,
    random: Math.random,
  });
}

async function report(invocation: Invocation, target: ReportTarget, forge: Forge | undefined): Promise<ExitCode> {
  const { signal } = invocation;
  const isDryRun = booleanOption(invocation, "dry-run");
  const asked = forge === undefined ? noToken(target) : await askPullRequest(forge, target, signal);
  const pull = asked instanceof Unposted ? undefined : asked;
  if (asked instanceof Unposted && asked.isFailure && !isDryRun) throw asked.error;
  let plan: { readonly report: PlanReport; readonly range: ReportRange };
  try {
    plan = await planPullRequest(invocation, target, pull);
  } catch (error) {
    // A fork is given neither a token nor a way to the control plane, and is not at fault.
    const isWithout = error instanceof AppError && error.code === "control-plane-unknown";
    if (!isWithout || !(asked instanceof Unposted) || isDryRun) throw error;
    invocation.io.err(`not planned: ${error.message}\nnot posted: ${asked.error.message}\n`);
    return EXIT.ok;
  }
  if (isDryRun) {
    printDryRun(invocation, target, { forge, pull, ...plan });
    return planExitCode(invocation, plan.report);
  }
  print(invocation, plan.report, () => planText(plan.report, systemClock.now(), paint(invocation)));
  if (forge === undefined || asked instanceof Unposted) {
    if (asked instanceof Unposted) invocation.io.err(`not posted: ${asked.error.message}\n`);
    return planExitCode(invocation, plan.report);
  }
  try {
    const published = await publishPlan(
      forge,
      plan.report,
      {
        pullRequest: target.pullRequest,
        marker: markerOf(invocation, target, plan.report),
        head: target.run?.head ?? asked.head.sha,
        runUrl: target.run?.runUrl,
        commentOnly: booleanOption(invocation, "no-check"),
      },
      { signal },
    );
    invocation.io.err(`${publishedText(published, target)}\n`);
  } catch (error) {
    const unposted = refusedBy(error, asked.isFork);
    if (unposted === undefined || unposted.isFailure) throw error;
    invocation.io.err(`not posted: ${unposted.error.message}\n`);
  }
  return planExitCode(invocation, plan.report);
}

/** Why nothing can be said in the pull request. */
class Unposted {
  readonly error: AppError;
  /** False where it is as it has to be: pipelines of forks get no tokens. */
  readonly isFailure: boolean;

  constructor(error: AppError, isFailure: boolean) {
    this.error = error;
    this.isFailure = isFailure;
  }
}

function noToken({ address, run, tokenVariables }: ReportTarget): Unposted {
  const variables = tokenVariables.map((name) => `$${name}`).join(" or ");
  const why =
    run?.isFork === true
      ? "the pipeline of a fork is given no token, as it should be"
      : `there is no token for ${PROVIDERS[address.kind]}: set ${variables}, or name a file with --token-file`;
  // Nobody knows whether it is a fork's: then it is better to say so than to fail every one of them.
  return new Unposted(new AppError("forge-token-missing", why, { recovery: "stall" }), run?.isFork === false);
}

async function askPullRequest(
  forge: Forge,
  { pullRequest, run }: ReportTarget,
  signal: AbortSignal,
): Promise<PullRequest | Unposted> {
  try {
    return await forge.pullRequest(pullRequest, { signal });
  } catch (error) {
    const unposted = refusedBy(error, run?.isFork === true);
    if (unposted === undefined) throw error;
    return unposted;
  }
}

/** Undefined for what has nothing to do with what credentials may do. */
function refusedBy(error: unknown, isFork: boolean): Unposted | undefined {
  const isRefused =
    error instanceof AppError &&
    (error.code === "forge-forbidden" || error.code === "forge-auth-failed" || error.code === "forge-not-found");
  return isRefused ? new Unposted(error, !isFork) : undefined;
}

async function planPullRequest(
  invocation: Invocation,
  target: ReportTarget,
  pull: PullRequest | undefined,
): Promise<{ readonly report: PlanReport; readonly range: ReportRange }> {
  const range = findReportRange(invocation, target, pull);
  const folder = openSourceFolder(invocation.io.cwd, invocation.positionals[0] ?? ".", range.range);
  try {
    const report = await withControlPlane(invocation, ({ client }) =>
      withInterpreters(client, invocation, (interpreters) =>
        planFolder(invocation, client, {
          folder,
          interpreters,
          repository: target.repository,
          subject: {
            repository: target.address.webUrl,
            base: { name: range.baseName ?? range.base.slice(0, 7), commit: range.base },
            head: { name: range.headName ?? range.head.slice(0, 7), commit: range.head },
          },
        }),
      ),
    );
    return { report, range };
  } finally {
    folder.close();
  }
}

function markerOf(invocation: Invocation, target: ReportTarget, { subject }: PlanReport): PlanMarker {
  return {
    name: stringOption(invocation, "name") ?? DEFAULT_NAME,
    repository: target.address.path.join("/"),
    path: subject.path,
    sync: stringOption(invocation, "sync"),
  };
}

function publishedText(published: PublishedPlan, target: ReportTarget): string {
  const { address, pullRequest, run } = target;
  const where = `pull request ${pullRequest} of ${address.path.join("/")} on ${PROVIDERS[address.kind]}`;
  switch (published.outcome) {
    case "moved": {
      const planned = run?.head === undefined ? "" : `, not ${run.head.slice(0, 7)}`;
      return `not posted: the head of ${where} is ${published.head.slice(0, 7)} by now${planned}; its own run tells of it`;
    }
    case "closed":
      return `not posted: ${where} is ${published.state}`;
    case "unchanged":
      return `unchanged: ${where} says it already`;
    case "created":
    case "updated": {
      const { check, outcome, url } = published;
      const beside = check === undefined ? "" : `, and a ${check.as} with ${check.annotations} remarks on lines`;
      return `${outcome} the comment in ${where}${url === undefined ? "" : ` (${url})`}${beside}`;
    }
  }
}

interface DryRun {
  readonly forge: Forge | undefined;
  readonly pull: PullRequest | undefined;
  readonly report: PlanReport;
  readonly range: ReportRange;
}

function printDryRun(invocation: Invocation, target: ReportTarget, { forge, pull, range, report }: DryRun): void {
  const { address, pullRequest, run } = target;
  const marker = markerOf(invocation, target, report);
  const id = planMarker(marker);
  const limits = forge?.limits;
  const head = pull?.head.sha ?? range.head;
  const options: PlanComment = {
    kind: address.kind,
    url: address.webUrl,
    limits,
    marker: id,
    head,
    runUrl: run?.runUrl,
    whole: RUN_LOG,
  };
  const body = planComment(report, options);
  const comment = limits === undefined ? body : withMarker(limits.markdown.hidden, id, body);
  const check = booleanOption(invocation, "no-check")
    ? undefined
    : planCheck(report, options, { name: planCheckName(marker), limits: limits?.check, runUrl: run?.runUrl });
  if (!isSameCommit(head, run?.head ?? head))
    invocation.io.err(`the head is ${head.slice(0, 7)} by now: nothing would be sent\n`);
  print(invocation, { pullRequest, repository: address.path.join("/"), head, comment, check }, () =>
    [
      `Would be said in pull request ${pullRequest} of ${address.path.join("/")} on ${PROVIDERS[address.kind]}:`,
      "",
      comment.trimEnd(),
      ...(check === undefined
        ? []
        : [
            "",
            `Check ${check.name} of ${head.slice(0, 7)}: ${check.conclusion}: ${check.title}`,
            ...check.annotations.map(
              ({ path, startLine, level, message }) => `  ${path}:${startLine} ${level}: ${message.split("\n")[0]}`,
            ),
          ]),
      "",
    ].join("\n"),
  );
}
