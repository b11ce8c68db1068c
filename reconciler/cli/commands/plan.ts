import type { GitRepository, Sync } from "../../../api/gitops.ts";
import type { PlanReport } from "../../../api/plan-report.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { RenderCache } from "../../../renderers/kustomize/render-cache.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { isSameRepository } from "../../../sources/git/same-repository.ts";
import type { RemoteBases } from "../../../sources/remote-bases.ts";
import { findTestFiles } from "../../plan/fleet-tests/test-files.ts";
import { type ComparedFolder, readFolderChange } from "../../plan/folder-change.ts";
import { makePlan } from "../../plan/make-plan.ts";
import {
  folderOf,
  presentSync,
  type RepositoryChange,
  type RepositoryRequest,
  readRepositoryChange,
  syncName,
} from "../../plan/repository-change.ts";
import type { CheckImage } from "../../plan/safety/registry-check.ts";
import type { WorldInterpreters } from "../../plan/world-interpreters.ts";
import { planText } from "../../reports/plan-text.ts";
import { placeText } from "../../reports/plan-words.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  READING_OPTIONS,
  stringOption,
  UsageError,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { compareLiveCopies } from "../live-copies.ts";
import { originFinder } from "../origins.ts";
import { paint } from "../output.ts";
import { PLAN_OUTPUT_OPTIONS, planPrinter } from "../plan-output.ts";
import { REGISTRY_OPTIONS, withRegistryCheck } from "../registry-settings.ts";
import { REMOTE_OPTIONS, withRemoteBases } from "../remote-settings.ts";
import { openSourceFolder, type SourceFolder } from "../source-folder.ts";
import { INTERPRETATION_OPTIONS, withInterpreters } from "../world-interpretation.ts";
import { productVersion } from "./version.ts";

export const planCommand: Command = {
  name: "plan",
  summary: "show what a change would do in every cluster",
  usage: "[PATH] [--base REF|A..B] [--sync NAMESPACE/NAME] [--exit-code]",
  description:
    "Renders a folder and shows what applying it would change, object by object and cluster by cluster: which copies come, change and go, how replicas move, and what would be refused. Compares with what the control plane has now, or with the folder at another revision. Writes nothing.",
  options: {
    base: {
      type: "string",
      value: "REF",
      help: "compare with this revision: main (from where HEAD parted), or a range A..B of two commits",
    },
    sync: {
      type: "string",
      value: "NS/NAME",
      help: "the Sync that applies the folder (default: the one with its path)",
    },
    "no-drift": { type: "boolean", help: "do not ask the clusters about drift of what would change" },
    "exit-code": { type: "boolean", help: "exit 3 when something changes, 4 when deletions would be held" },
    ...REGISTRY_OPTIONS,
    ...REMOTE_OPTIONS,
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
  ],
  run: (invocation) =>
    withControlPlane(invocation, ({ client }) =>
      withInterpreters(client, invocation, (interpreters) => plan(invocation, client, interpreters)),
    ),
};

async function plan(invocation: Invocation, client: KubeClient, interpreters: WorldInterpreters): Promise<ExitCode> {
  const path = invocation.positionals[0] ?? ".";
  const printPlan = planPrinter(invocation);
  const folder = openSourceFolder(invocation.io.cwd, path, stringOption(invocation, "base"));
  const { signal } = invocation;
  try {
    const originOf = await originFinder(client, invocation.io.cwd);
    const report = await withPlanInputs(invocation, (remotes, checkImage) =>
      makePlan(client, {
        checkImage,
        readChange: () => readChange(client, invocation, folder, { remotes, signal, cache: new RenderCache() }),
        subject: {
          path: folder.path,
          ...(folder.baseName === undefined ? {} : { base: { name: folder.baseName } }),
          head: { name: folder.headName, ...(folder.commit === undefined ? {} : { commit: folder.commit }) },
          fleet: { from: stringOption(invocation, "snapshot") === undefined ? "live" : "snapshot" },
        },
        interpretations: interpreters,
        originOf,
        tests: findTestFiles(folder.head, folder.path),
        compareCopies: booleanOption(invocation, "no-drift")
          ? undefined
          : (clusters, wants, world) =>
              compareLiveCopies(client, clusters, {
                interpretation: interpreters.of(world.interpretation),
                wants,
                signal,
              }),
        clock: systemClock,
        version: productVersion(),
        signal,
      }),
    );
    return show(invocation, report, printPlan);
  } finally {
    folder.close();
  }
}

/** What a plan may ask beside the control plane. */
function withPlanInputs<T>(
  invocation: Invocation,
  run: (remotes: RemoteBases | undefined, checkImage: CheckImage | undefined) => Promise<T>,
): Promise<T> {
  return withRemoteBases(invocation, (remotes) =>
    withRegistryCheck(invocation, (checkImage) => run(remotes, checkImage)),
  );
}

/** Of the Sync that applies the folder; else of the Syncs that apply folders in it; else of the folder without any. */
export async function readChange(
  client: KubeClient,
  invocation: Invocation,
  folder: SourceFolder,
  rendering: RepositoryRequest["rendering"],
): Promise<RepositoryChange> {
  const syncs = (await client.list<Sync>(GITOPS_API, "Sync")).items;
  const sources = (await client.list<GitRepository>(GITOPS_API, "GitRepository")).items;
  const isOurs = sourceMatcher(sources, folder.remotes);
  const { path } = folder;
  const sync = chooseSync(syncs, stringOption(invocation, "sync"), path);
  const below = syncs.filter(
    (one) => isOurs(one.spec.sourceRef, one.metadata.namespace ?? "") && isBelow(folderOf(one), path),
  );
  const only: ComparedFolder = { path, basePath: path, sync };
  if (sync === undefined && below.length === 0)
    return { change: await readFolderChange(client, folder, only, rendering), syncs: [] };
  return readRepositoryChange(client, sync === undefined ? below.map(presentSync) : [only], {
    trees: folder,
    changedPaths: sync === undefined ? folder.changedPaths() : undefined,
    isOurs,
    rendering,
  });
}

const GITOPS_API = "gitops.flaghoist.io/v1alpha1";

function isBelow(folder: string, path: string): boolean {
  return path === "" || folder === path || folder.startsWith(`${path}/`);
}

/** A checkout that is fetched from nowhere, or from where no source points, may be any repository. */
function sourceMatcher(sources: readonly GitRepository[], remotes: readonly string[]): RepositoryRequest["isOurs"] {
  const ours = sources.filter(({ spec }) => remotes.some((remote) => isSameRepository(remote, spec.url)));
  if (ours.length === 0) return () => true;
  const names = new Set(ours.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  return ({ name, namespace }, from) => names.has(`${namespace ?? from}/${name}`);
}

function chooseSync(syncs: readonly Sync[], named: string | undefined, path: string): Sync | undefined {
  if (named !== undefined) {
    const found = syncs.find((sync) => syncName(sync) === named);
    if (found !== undefined) return found;
    throw new AppError(
      "sync-unknown",
      `there is no Sync ${named}${syncs.length === 0 ? "" : `; there are ${syncs.slice(0, 8).map(syncName).join(", ")}`}`,
      { recovery: "stall" },
    );
  }
  const matching = syncs.filter((sync) => folderOf(sync) === path);
  if (matching.length > 1)
    throw new UsageError(
      `several Syncs apply this folder: ${matching.map(syncName).join(", ")}; choose one with --sync`,
    );
  return matching[0];
}

function show(invocation: Invocation, report: PlanReport, printPlan: ReturnType<typeof planPrinter>): ExitCode {
  for (const { severity, place, message } of report.valid ? report.problems : [])
    if (severity === "warning")
      invocation.io.err(`warning: ${place === undefined ? "" : `${placeText(place)}: `}${message}\n`);
  for (const { cluster, reason } of report.driftUnknown ?? [])
    invocation.io.err(`warning: drift in cluster ${cluster} is not known: ${reason}\n`);
  printPlan(report, () => planText(report, systemClock.now(), paint(invocation)));
  if (!report.valid) return EXIT.failed;
  if (!booleanOption(invocation, "exit-code")) return EXIT.ok;
  return report.state === "held" ? EXIT.held : report.changes ? EXIT.differences : EXIT.ok;
}
