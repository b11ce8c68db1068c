// A plan of two trees of a repository: which of its Syncs are concerned, and what comes of that. For commands, which read
// the trees from a checkout, and for pull requests.
import { posix } from "node:path";
import type { GitRepository, Sync } from "../../api/gitops.ts";
import type { PlanReport } from "../../api/plan-report.ts";
import type { RenderedSync } from "../../api/reporter.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { AppError } from "../../runtime/errors.ts";
import { isSameRepository } from "../../sources/git/same-repository.ts";
import { findTestFiles, readTestFiles } from "./fleet-tests/test-files.ts";
import { type ComparedFolder, type ComparedTrees, readFolderChange } from "./folder-change.ts";
import { makePlan, type PlanRequest } from "./make-plan.ts";
import {
  folderOf,
  presentSync,
  type RepositoryChange,
  type RepositoryRequest,
  readRepositoryChange,
  syncName,
} from "./repository-change.ts";

/** Two trees, and the folder of them that is meant. */
export interface PlannedTrees extends ComparedTrees {
  /** The folder in the head; empty for the root. */
  readonly path: string;
  /** The folder in the base; the same unless two folders are compared. */
  readonly basePath: string;
  /** Whether the base is another folder, and no revision of this one. */
  readonly isPair: boolean;
  /** Addresses that the files are fetched from, as far as they are known. */
  readonly remotes: readonly string[];
  /** Files that differ between the two; undefined without a base. */
  changedPaths(): readonly string[] | undefined;
}

export interface SyncChoice {
  /** This Sync alone: `shop/apps`. */
  readonly sync?: string | undefined;
  /**
   * Where the change goes to: then exactly the Syncs of its sources are concerned, however many apply one folder. Undefined:
   * that is told by the remotes, and the one Sync of the folder goes before those of folders in it.
   */
  readonly target?: { readonly repository: string; readonly branch: string | undefined } | undefined;
}

export interface TreesPlanRequest extends SyncChoice, Omit<PlanRequest, "readChange" | "tests" | "baseTests"> {
  readonly trees: PlannedTrees;
  readonly rendering: RepositoryRequest["rendering"];
}

export interface TreesPlan {
  readonly report: PlanReport;
  /** What each Sync that is concerned would apply; empty when that is refused. */
  readonly syncs: readonly RenderedSync[];
}

/** Plans, with the fleet tests of the head. Writes nothing. Throws `sync-unknown` and `sync-ambiguous`. */
export async function planTrees(client: KubeClient, request: TreesPlanRequest): Promise<TreesPlan> {
  const { trees } = request;
  let syncs: readonly RenderedSync[] = [];
  const report = await makePlan(client, {
    ...request,
    readChange: async () => {
      const change = await readTreesChange(client, trees, request, request.rendering);
      syncs = change.rendered;
      return change;
    },
    tests: findTestFiles(trees.head, trees.path),
    baseTests: trees.base && readTestFiles(trees.base, trees.basePath, trees.changedPaths() ?? []),
  });
  return { report, syncs: report.valid ? syncs : [] };
}

/** Of the Sync that applies the folder; else of the Syncs that apply folders in it; else of the folder without any. */
export async function readTreesChange(
  client: KubeClient,
  trees: PlannedTrees,
  choice: SyncChoice,
  rendering: RepositoryRequest["rendering"],
): Promise<RepositoryChange> {
  const syncs = (await client.list<Sync>(GITOPS_API, "Sync")).items;
  const sources = (await client.list<GitRepository>(GITOPS_API, "GitRepository")).items;
  const { target } = choice;
  const isOurs = target === undefined ? sourceMatcher(sources, trees.remotes) : targetMatcher(sources, target);
  const ignored = new Map(
    sources.map(({ metadata, spec }) => [`${metadata.namespace}/${metadata.name}`, spec.ignore] as const),
  );
  const { path, basePath } = trees;
  const sync = target === undefined || choice.sync !== undefined ? chooseSync(syncs, choice.sync, path) : undefined;
  const below = syncs.filter(
    (one) =>
      isOurs(one.spec.sourceRef, one.metadata.namespace ?? "") &&
      isBelow(folderOf(one), path) &&
      (!trees.isPair || isInPair(trees, folderOf(one))),
  );
  const only: ComparedFolder = { path, basePath, sync };
  if (sync === undefined && below.length === 0)
    return { change: await readFolderChange(client, trees, only, rendering), syncs: [], rendered: [] };
  return readRepositoryChange(client, sync === undefined ? below.map((one) => comparedIn(trees, one)) : [only], {
    trees,
    changedPaths: sync === undefined ? trees.changedPaths() : undefined,
    isOurs,
    ignoreOf: ({ name, namespace }, from) => ignored.get(`${namespace ?? from}/${name}`),
    rendering,
    syncs,
  });
}

const GITOPS_API = "gitops.flaghoist.io/v1alpha1";

function isBelow(folder: string, path: string): boolean {
  return path === "" || folder === path || folder.startsWith(`${path}/`);
}

/** The folder of the base that stands for one of the head. */
function baseOf({ path, basePath }: PlannedTrees, of: string): string {
  return [basePath, posix.relative(path, of)].filter((part) => part !== "").join("/");
}

function comparedIn(trees: PlannedTrees, sync: Sync): ComparedFolder {
  const compared = presentSync(sync);
  return { ...compared, basePath: baseOf(trees, compared.path ?? "") };
}

/** Two folders that were copied from somewhere need not have what every Sync applies. */
function isInPair(trees: PlannedTrees, of: string): boolean {
  return trees.head.list(of) !== undefined || trees.base?.list(baseOf(trees, of)) !== undefined;
}

/** A checkout that is fetched from nowhere, or from where no source points, may be any repository. */
function sourceMatcher(sources: readonly GitRepository[], remotes: readonly string[]): RepositoryRequest["isOurs"] {
  const ours = sources.filter(({ spec }) => remotes.some((remote) => isSameRepository(remote, spec.url)));
  return ours.length === 0 ? () => true : among(ours);
}

/** What follows another branch does not get the change. What follows tags or commits gets it with the next of them. */
function targetMatcher(
  sources: readonly GitRepository[],
  { repository, branch }: NonNullable<SyncChoice["target"]>,
): RepositoryRequest["isOurs"] {
  return among(
    sources.filter(({ spec }) => {
      if (!isSameRepository(repository, spec.url)) return false;
      const followed = branchOf(spec.ref);
      return branch === undefined || followed === undefined || followed === branch;
    }),
  );
}

function branchOf(ref: GitRepository["spec"]["ref"]): string | undefined {
  if (ref === undefined || ref.commit || ref.semver || ref.tag) return undefined;
  if (ref.name) return /^refs\/heads\/(.+)$/.exec(ref.name)?.[1];
  return ref.branch || undefined;
}

function among(sources: readonly GitRepository[]): RepositoryRequest["isOurs"] {
  const names = new Set(sources.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
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
    throw new AppError("sync-ambiguous", `several Syncs apply this folder: ${matching.map(syncName).join(", ")}`, {
      recovery: "stall",
    });
  return matching[0];
}
