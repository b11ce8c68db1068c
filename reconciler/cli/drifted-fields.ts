// What of an object differs in the clusters at present, for commands that do something about it.
import { writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Cluster } from "../../api/cluster.ts";
import type { Sync } from "../../api/gitops.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { refKey } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { GITOPS_API } from "../controllers/sync/git-repository.ts";
import { SYNC_NAME_LABEL, SYNC_NAMESPACE_LABEL } from "../controllers/sync/sync-decisions.ts";
import { loadInterpretation } from "../plan/world.ts";
import { type DriftedObject, driftedObjectOf } from "../pull-requests/drift-changes/drifted-object.ts";
import { objectName } from "../reports/words.ts";
import {
  booleanOption,
  type CommandOption,
  type Invocation,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
  stringOption,
  UsageError,
} from "./command.ts";
import { findObject } from "./find-kind.ts";
import { compareLiveCopies } from "./live-copies.ts";
import { sourceRoot } from "./source-root.ts";
import { INTERPRETATION_OPTIONS, withInterpreters } from "./world-interpretation.ts";

/** Which drift a command is about, and where it writes; `clustersHelp` says what `--clusters` chooses. */
export function driftOptions(clustersHelp: string): Readonly<Record<string, CommandOption>> {
  return {
    namespace: { type: "string", short: "n", value: "NAMESPACE", help: "namespace of the object" },
    clusters: { type: "string", short: "C", value: "NAMES", help: clustersHelp },
    field: { type: "string", value: "PATH", help: "only this field, as drift prints it" },
    tree: {
      type: "string",
      value: "FOLDER",
      help: "the Git working tree (default: the one around the current folder)",
    },
    "dry-run": { type: "boolean", help: "say what would be written, and write nothing" },
    ...INTERPRETATION_OPTIONS,
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  };
}

/** The words after the name of a command with these options. */
export const DRIFT_USAGE = "KIND/NAME [-n NAMESPACE] [--clusters NAMES] [--field PATH] [--tree FOLDER] [--dry-run]";

/** The drift of the object that a command line names, in the clusters and of the fields that it asks for. */
export async function driftedObject(invocation: Invocation, client: KubeClient): Promise<DriftedObject> {
  if (invocation.positionals.length === 0) throw new UsageError("name an object: KIND/NAME");
  const object = await findObject(client, invocation.positionals, stringOption(invocation, "namespace"));
  const template = await client.get(object);
  const names = stringOption(invocation, "clusters")?.split(",");
  const all = (await client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster")).items;
  const clusters = all.filter(({ metadata }) => names === undefined || names.includes(metadata.name ?? ""));
  const { copies, unreachable } = await withInterpreters(client, invocation, async (interpreters) =>
    compareLiveCopies(client, clusters, {
      interpretation: interpreters.of(await loadInterpretation(client)),
      wants: (candidate) => refKey(candidate) === refKey(object),
      signal: invocation.signal,
    }),
  );
  const [silent] = unreachable;
  if (copies.length === 0 && silent !== undefined)
    throw new AppError("cluster-unreachable", `cluster ${silent.cluster} could not be asked: ${silent.reason}`, {
      recovery: "retry",
    });
  return driftedObjectOf(object, template, copies, stringOption(invocation, "field"));
}

/** The Sync that put a template into the control plane. Throws `not-from-git` for one that nobody put there from Git. */
export async function syncOf(client: KubeClient, { object, template }: DriftedObject): Promise<Sync> {
  const { [SYNC_NAME_LABEL]: name, [SYNC_NAMESPACE_LABEL]: namespace } = template.metadata.labels ?? {};
  const sync =
    name === undefined
      ? undefined
      : await client.find<Sync>({ apiVersion: GITOPS_API, kind: "Sync", namespace: namespace ?? "", name });
  if (sync !== undefined) return sync;
  throw new AppError("not-from-git", `${objectName(object)} is of no Sync: change it where it is applied from`, {
    recovery: "stall",
  });
}

/** The Git working tree that a command writes to. */
export interface WorkingTree {
  readonly root: string;
  /** How a file of it is called from the current folder. */
  readonly describe: (file: string) => string;
  readonly isDryRun: boolean;
  /** Writes files, by their paths in the tree; nothing in a dry run. */
  readonly write: (files: ReadonlyMap<string, string>) => void;
}

/** That of `--tree`, or around the current folder. */
export function workingTree(invocation: Invocation): WorkingTree {
  const { cwd } = invocation.io;
  const given = stringOption(invocation, "tree");
  const from = given === undefined ? cwd : resolve(cwd, given);
  const root = resolve(cwd, sourceRoot(from) ?? from);
  const isDryRun = booleanOption(invocation, "dry-run");
  return {
    root,
    isDryRun,
    describe: (file) => relative(cwd, join(root, file)) || file,
    write: (files) => {
      if (!isDryRun) for (const [file, text] of files) writeFileSync(join(root, file), text);
    },
  };
}
