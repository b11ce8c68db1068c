import type { PlanReport } from "../../../api/plan-report.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { systemClock } from "../../../runtime/clock.ts";
import type { WorldInterpreters } from "../../plan/world-interpreters.ts";
import { planText } from "../../reports/plan-text.ts";
import { placeText } from "../../reports/plan-words.ts";
import { type Command, type ExitCode, type Invocation, READING_OPTIONS, stringOption, UsageError } from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { paint } from "../output.ts";
import { PLAN_OUTPUT_OPTIONS, planPrinter } from "../plan-output.ts";
import { PLAN_OPTIONS, planExitCode, planFolder } from "../plan-request.ts";
import { openFolderPair, openSourceFolder, type SourceFolder } from "../source-folder.ts";
import { INTERPRETATION_OPTIONS, withInterpreters } from "../world-interpretation.ts";

export const planCommand: Command = {
  name: "plan",
  summary: "show what a change would do in every cluster",
  usage: "[PATH | OLD NEW] [--base REF|A..B] [--sync NAMESPACE/NAME] [--exit-code]",
  description:
    "Renders a folder and shows what applying it would change, object by object and cluster by cluster: which copies come, change and go, how replicas move, and what would be refused. Compares with what the control plane has now, with the folder at another revision, or with another folder: of two, the first is the base. Writes nothing.",
  options: {
    base: {
      type: "string",
      value: "REF",
      help: "compare with this revision: main (from where HEAD parted), or a range A..B of two commits",
    },
    ...PLAN_OPTIONS,
    ...INTERPRETATION_OPTIONS,
    ...READING_OPTIONS,
    ...PLAN_OUTPUT_OPTIONS,
  },
  examples: [
    ["plan apps/shop", "the files on disk against what runs"],
    ["plan apps/shop --base main", "what this branch changes"],
    ["plan apps/shop --snapshot fleet.snapshot", "without reaching the control plane"],
    ["plan apps/shop --base main -o markdown", "as a comment of a pull request; -o sarif or junit for a CI"],
    ["plan apps/shop --base main --report html=plan.html", "and a page beside it, to read on a phone and to send"],
    ["plan apps/shop --base v1.4..v1.5 --exit-code", "between two releases; exit 3 when they differ"],
    ["plan envs/staging envs/prod", "between two folders: from the first to the second"],
  ],
  run: (invocation) =>
    withControlPlane(invocation, ({ client }) =>
      withInterpreters(client, invocation, (interpreters) => plan(invocation, client, interpreters)),
    ),
};

async function plan(invocation: Invocation, client: KubeClient, interpreters: WorldInterpreters): Promise<ExitCode> {
  const printPlan = planPrinter(invocation);
  const folder = openFolders(invocation);
  try {
    return show(invocation, await planFolder(invocation, client, { folder, interpreters }), printPlan);
  } finally {
    folder.close();
  }
}

/** One folder, or two of which the first is the base. */
function openFolders(invocation: Invocation): SourceFolder {
  const { io, positionals } = invocation;
  const [first = ".", second, ...more] = positionals;
  const range = stringOption(invocation, "base");
  if (second === undefined) return openSourceFolder(io.cwd, first, range);
  if (more.length > 0) throw new UsageError(`name one folder, or two to compare: not ${positionals.length}`);
  if (range !== undefined)
    throw new UsageError(`${first} is the base of ${second} already: leave out --base, or name one folder`);
  return openFolderPair(io.cwd, first, second);
}

function show(invocation: Invocation, report: PlanReport, printPlan: ReturnType<typeof planPrinter>): ExitCode {
  for (const { severity, place, message } of report.valid ? report.problems : [])
    if (severity === "warning")
      invocation.io.err(`warning: ${place === undefined ? "" : `${placeText(place)}: `}${message}\n`);
  for (const { cluster, reason } of report.driftUnknown ?? [])
    invocation.io.err(`warning: drift in cluster ${cluster} is not known: ${reason}\n`);
  printPlan(report, () => planText(report, systemClock.now(), paint(invocation)));
  return planExitCode(invocation, report);
}
