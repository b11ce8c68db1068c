// A plan of a folder, as the command line asks for it: for `plan`, and for `report` in pull requests.
import { posix } from "node:path";
import type { GitRepository, Sync } from "../../api/gitops.ts";
import type { PlanReport } from "../../api/plan-report.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { RenderCache } from "../../renderers/kustomize/render-cache.ts";
import { systemClock } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import { isSameRepository } from "../../sources/git/same-repository.ts";
import type { RemoteBases } from "../../sources/remote-bases.ts";
import { findTestFiles } from "../plan/fleet-tests/test-files.ts";
import { type ComparedFolder, readFolderChange } from "../plan/folder-change.ts";
import { makePlan } from "../plan/make-plan.ts";
import {
  folderOf,
  presentSync,
  type RepositoryChange,
  type RepositoryRequest,
  readRepositoryChange,
  syncName,
} from "../plan/repository-change.ts";
import type { CheckImage } from "../plan/safety/registry-check.ts";
import type { WorldInterpreters } from "../plan/world-interpreters.ts";
import {
  booleanOption,
  type CommandOption,
  EXIT,
  type ExitCode,
  type Invocation,
  stringOption,
  UsageError,
} from "./command.ts";
import { productVersion } from "./commands/version.ts";
import { compareLiveCopies } from "./live-copies.ts";
import { originFinder } from "./origins.ts";
import { REGISTRY_OPTIONS, withRegistryCheck } from "./registry-settings.ts";
import { REMOTE_OPTIONS, withRemoteBases } from "./remote-settings.ts";
import type { SourceFolder } from "./source-folder.ts";

export const PLAN_OPTIONS: Readonly<Record<string, CommandOption>> = {
  sync: {
    type: "string",
    value: "NS/NAME",
    help: "the Sync that applies the folder (default: the one with its path)",
  },
  "no-drift": { type: "boolean", help: "do not ask the clusters about drift of what would change" },
  "exit-code": { type: "boolean", help: "exit 3 when something changes, 4 when deletions would be held" },
  ...REGISTRY_OPTIONS,
  ...REMOTE_OPTIONS,
};

export interface FolderPlan {
  readonly folder: SourceFolder;
  readonly interpreters: WorldInterpreters;
  /** Where the folder's repository is, if that is known otherwise than by what the checkout is fetched from. */
  readonly repository?: string | undefined;
  /** What is to be said of the two sides, where that is better known than by the folder. */
  readonly subject?: Pick<Partial<PlanReport["subject"]>, "repository" | "base" | "head">;
}

/** Plans what the command line asks for (`PLAN_OPTIONS`). Neither charts are inflated nor programs run. */
export async function planFolder(invocation: Invocation, client: KubeClient, request: FolderPlan): Promise<PlanReport> {
  const { folder, interpreters } = request;
  const { signal } = invocation;
  const originOf = await originFinder(client, invocation.io.cwd);
  return withPlanInputs(invocation, (remotes, checkImage) =>
    makePlan(client, {
      checkImage,
      readChange: () =>
        readChange(client, invocation, folder, { remotes, signal, cache: new RenderCache() }, request.repository),
      subject: {
        path: folder.path,
        ...(folder.baseName === undefined ? {} : { base: { name: folder.baseName } }),
        head: { name: folder.headName, ...(folder.commit === undefined ? {} : { commit: folder.commit }) },
        fleet: { from: stringOption(invocation, "snapshot") === undefined ? "live" : "snapshot" },
        ...request.subject,
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

/** Whether it failed, changes something or is held: what scripts look at. */
export function planExitCode(invocation: Invocation, report: PlanReport): ExitCode {
  if (!report.valid) return EXIT.failed;
  if (!booleanOption(invocation, "exit-code")) return EXIT.ok;
  return report.state === "held" ? EXIT.held : report.changes ? EXIT.differences : EXIT.ok;
}

/** Of the Sync that applies the folder; else of the Syncs that apply folders in it; else of the folder without any. */
export async function readChange(
  client: KubeClient,
  invocation: Invocation,
  folder: SourceFolder,
  rendering: RepositoryRequest["rendering"],
  repository?: string,
): Promise<RepositoryChange> {
  const syncs = (await client.list<Sync>(GITOPS_API, "Sync")).items;
  const sources = (await client.list<GitRepository>(GITOPS_API, "GitRepository")).items;
  const isOurs = sourceMatcher(sources, [...folder.remotes, ...(repository === undefined ? [] : [repository])]);
  const { path, basePath } = folder;
  const sync = chooseSync(syncs, stringOption(invocation, "sync"), path);
  const below = syncs.filter(
    (one) =>
      isOurs(one.spec.sourceRef, one.metadata.namespace ?? "") &&
      isBelow(folderOf(one), path) &&
      (!folder.isPair || isInPair(folder, folderOf(one))),
  );
  const only: ComparedFolder = { path, basePath, sync };
  if (sync === undefined && below.length === 0)
    return { change: await readFolderChange(client, folder, only, rendering), syncs: [] };
  return readRepositoryChange(client, sync === undefined ? below.map((one) => comparedIn(folder, one)) : [only], {
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

/** The folder of the base that stands for one of the head. */
function baseOf({ path, basePath }: SourceFolder, of: string): string {
  return [basePath, posix.relative(path, of)].filter((part) => part !== "").join("/");
}

function comparedIn(folder: SourceFolder, sync: Sync): ComparedFolder {
  const compared = presentSync(sync);
  return { ...compared, basePath: baseOf(folder, compared.path ?? "") };
}

/** Two folders that were copied from somewhere need not have what every Sync applies. */
function isInPair(folder: SourceFolder, of: string): boolean {
  return folder.head.list(of) !== undefined || folder.base?.list(baseOf(folder, of)) !== undefined;
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
