// A plan of a folder, as the command line asks for it: for `plan`, and for `report` in pull requests.
import type { PlanReport } from "../../api/plan-report.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { RenderCache } from "../../renderers/kustomize/render-cache.ts";
import { systemClock } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import type { RemoteBases } from "../../sources/remote-bases.ts";
import { type PlannedTrees, planTrees, readTreesChange } from "../plan/plan-trees.ts";
import type { RepositoryChange, RepositoryRequest } from "../plan/repository-change.ts";
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
  const { folder, interpreters, repository } = request;
  const { signal } = invocation;
  const originOf = await originFinder(client, invocation.io.cwd);
  const trees = repository === undefined ? folder : withRemote(folder, repository);
  return withPlanInputs(invocation, async (remotes, checkImage) => {
    const plan = planTrees(client, {
      checkImage,
      trees,
      sync: stringOption(invocation, "sync"),
      rendering: { remotes, signal, cache: new RenderCache() },
      subject: {
        path: folder.path,
        ...(folder.baseName === undefined ? {} : { base: { name: folder.baseName } }),
        head: { name: folder.headName, ...(folder.commit === undefined ? {} : { commit: folder.commit }) },
        fleet: { from: stringOption(invocation, "snapshot") === undefined ? "live" : "snapshot" },
        ...request.subject,
      },
      interpretations: interpreters,
      originOf,
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
    });
    return (await choosing(plan)).report;
  });
}

function withRemote(trees: PlannedTrees, remote: string): PlannedTrees {
  return {
    ...trees,
    remotes: [...trees.remotes, remote],
    changedPaths: () => trees.changedPaths(),
  };
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

/** What the folder does, by the Sync that the command line names. */
export function readChange(
  client: KubeClient,
  invocation: Invocation,
  folder: SourceFolder,
  rendering: RepositoryRequest["rendering"],
): Promise<RepositoryChange> {
  return choosing(readTreesChange(client, folder, { sync: stringOption(invocation, "sync") }, rendering));
}

/** Which of several Syncs is meant, an option says. */
async function choosing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "sync-ambiguous") throw error;
    throw new UsageError(`${error.message}; choose one with --sync`);
  }
}
