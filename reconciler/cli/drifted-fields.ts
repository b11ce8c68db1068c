// What of an object differs in the clusters at present, for commands that do something about it.
import { relative } from "node:path";
import type { Cluster } from "../../api/cluster.ts";
import type { Sync } from "../../api/gitops.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import type { FieldPath } from "../../kube/fields/path.ts";
import { equalJson, type KubeObject, type ObjectRef, refKey } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { GITOPS_API } from "../controllers/sync/git-repository.ts";
import { SYNC_NAME_LABEL, SYNC_NAMESPACE_LABEL } from "../controllers/sync/sync-decisions.ts";
import { loadInterpretation } from "../plan/world.ts";
import { objectName } from "../reports/words.ts";
import { type Invocation, stringOption, UsageError } from "./command.ts";
import { findObject } from "./find-kind.ts";
import { compareLiveCopies } from "./live-copies.ts";
import { sourceRoot } from "./source-root.ts";
import { withInterpreters } from "./world-interpretation.ts";

/** One value found in place of the wanted one, and where. */
export interface FoundValue {
  readonly wanted: unknown;
  readonly found: unknown;
  readonly clusters: readonly string[];
}

export interface DriftedObjectField {
  readonly path: string;
  readonly fieldPath: FieldPath;
  readonly values: readonly FoundValue[];
}

export interface DriftedObject {
  readonly object: ObjectRef;
  readonly template: KubeObject;
  readonly fields: readonly DriftedObjectField[];
  /** Every cluster that has a copy. */
  readonly clusters: readonly string[];
}

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
  const fields = new Map<string, DriftedObjectField>();
  for (const { cluster, fields: differing } of copies)
    for (const { path, fieldPath, wanted, found } of differing) {
      const known = fields.get(path) ?? { path, fieldPath: fieldPath ?? [], values: [] };
      const same = known.values.find((value) => equalJson([value.wanted, value.found], [wanted, found]));
      const others = known.values.filter((value) => value !== same);
      const value = { wanted, found, clusters: [...(same?.clusters ?? []), cluster].sort() };
      fields.set(path, { ...known, values: [...others, value] });
    }
  const only = stringOption(invocation, "field");
  const chosen = [...fields.values()].filter(({ path }) => only === undefined || path === only);
  if (chosen.length === 0)
    throw new AppError(
      "no-drift",
      `${only === undefined ? "no field" : only} of ${objectName(object)} differs from what is wanted`,
      { recovery: "stall" },
    );
  return { object, template, fields: chosen, clusters: copies.map(({ cluster }) => cluster) };
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

/** The working tree that is written to: that of `--tree`, or around the current folder. */
export function workingTree(invocation: Invocation): {
  readonly root: string;
  readonly describe: (file: string) => string;
} {
  const { cwd } = invocation.io;
  const given = stringOption(invocation, "tree");
  const root = given === undefined ? (sourceRoot(cwd) ?? cwd) : (sourceRoot(given) ?? given);
  return { root, describe: (file) => relative(cwd, `${root}/${file}`) || file };
}
