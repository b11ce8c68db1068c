import { basename, dirname } from "node:path";
import type { PlanReport } from "../../../api/plan-report.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { RenderCache } from "../../../renderers/kustomize/render-cache.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { findTestFiles, isFleetTestFile } from "../../plan/fleet-tests/test-files.ts";
import { makePlan } from "../../plan/make-plan.ts";
import type { WorldInterpreters } from "../../plan/world-interpreters.ts";
import { junitXml } from "../../reports/junit.ts";
import { planText } from "../../reports/plan-text.ts";
import { countTests, testText } from "../../reports/test-text.ts";
import {
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  READING_OPTIONS,
  stringOption,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { originFinder } from "../origins.ts";
import { paint, print } from "../output.ts";
import { readChange } from "../plan-request.ts";
import { REMOTE_OPTIONS, withRemoteBases } from "../remote-settings.ts";
import { openSourceFolder } from "../source-folder.ts";
import { INTERPRETATION_OPTIONS, withInterpreters } from "../world-interpretation.ts";
import { productVersion } from "./version.ts";

/** `flaghoist test`. */
export const testCommand: Command = {
  name: "test",
  summary: "run the fleet tests of a repository: what must hold of every outcome",
  usage: "[PATH] [--base REF|A..B] [--snapshot FILE]",
  description:
    "Plans what a folder renders to, as 'plan' does, and checks what the FleetTests in it (*.fleet.yaml) expect of the outcome: replicas, clusters, images, fields, spread, and what is left when a cluster, zone, region or provider is lost. PATH is a folder, or one file of tests. Writes nothing. Exit code 1 when a test fails.",
  options: {
    base: { type: "string", value: "REF", help: "test the change since this revision, or a range A..B of two commits" },
    sync: {
      type: "string",
      value: "NS/NAME",
      help: "the Sync that applies the folder (default: the one with its path)",
    },
    ...REMOTE_OPTIONS,
    ...INTERPRETATION_OPTIONS,
    ...READING_OPTIONS,
    ...OUTPUT_OPTION,
    output: { type: "string", short: "o", value: "json|yaml|junit", help: "print data instead of text" },
  },
  examples: [
    ["test", "all tests of the repository, with the files on disk"],
    ["test apps/shop --snapshot fleet.snapshot", "without reaching the control plane"],
    ["test --base main -o junit", "what this branch changes, for a CI"],
  ],
  run: (invocation) =>
    withControlPlane(invocation, ({ client }) =>
      withInterpreters(client, invocation, (interpreters) => test(invocation, client, interpreters)),
    ),
};

async function test(invocation: Invocation, client: KubeClient, interpreters: WorldInterpreters): Promise<ExitCode> {
  const named = invocation.positionals[0] ?? ".";
  const file = isFleetTestFile(basename(named)) ? basename(named) : undefined;
  const path = file === undefined ? named : dirname(named);
  const folder = openSourceFolder(invocation.io.cwd, path, stringOption(invocation, "base"));
  const { signal } = invocation;
  try {
    const all = findTestFiles(folder.head, folder.path);
    const own = folder.path === "" ? file : `${folder.path}/${file}`;
    const files = file === undefined ? all.files : all.files.filter((one) => one.file === own);
    if (files.length === 0)
      throw new AppError("fleet-tests-missing", `there are no fleet tests (*.fleet.yaml) in ${named}`, {
        recovery: "stall",
      });
    const originOf = await originFinder(client, invocation.io.cwd);
    const report = await withRemoteBases(invocation, (remotes) =>
      makePlan(client, {
        readChange: () => readChange(client, invocation, folder, { remotes, signal, cache: new RenderCache() }),
        subject: {
          path: folder.path,
          ...(folder.baseName === undefined ? {} : { base: { name: folder.baseName } }),
          head: { name: folder.headName, ...(folder.commit === undefined ? {} : { commit: folder.commit }) },
          fleet: { from: stringOption(invocation, "snapshot") === undefined ? "live" : "snapshot" },
        },
        interpretations: interpreters,
        originOf,
        tests: { ...all, files },
        compareCopies: undefined,
        clock: systemClock,
        version: productVersion(),
        signal,
      }),
    );
    return show(invocation, report);
  } finally {
    folder.close();
  }
}

function show(invocation: Invocation, report: PlanReport): ExitCode {
  if (!report.valid) {
    invocation.io.err(`${planText(report, systemClock.now(), paint(invocation))}\n`);
    return EXIT.failed;
  }
  for (const note of report.notes ?? []) invocation.io.err(`warning: ${note}\n`);
  // Without a base nothing is known of a change: what is not there yet has not failed.
  const isChange = report.subject.base !== undefined;
  const tests = (report.tests ?? []).map(({ base, ...test }) => ({ ...test, ...(isChange && base ? { base } : {}) }));
  const counts = countTests(tests);
  if (stringOption(invocation, "output") === "junit") invocation.io.out(junitXml({ ...report, findings: [] }));
  else print(invocation, { ...counts, tests }, () => testText(tests, paint(invocation)));
  return counts.failed > 0 ? EXIT.failed : EXIT.ok;
}
