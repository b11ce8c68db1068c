// The thread in which one change of files is worked out: rendering takes its time, and must not hold up the program.
import { parentPort, workerData } from "node:worker_threads";
import type { Sync } from "../../../api/gitops.ts";
import { withoutIgnored } from "../../../renderers/ignoring-tree.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { openTree, type TreeLocation } from "../../../sources/git/git-tree.ts";
import { OverlaidTree } from "../../plan/overlaid-tree.ts";
import { adoptDrift, type Refusal } from "./adopt-drift.ts";
import type { DriftedObject } from "./drifted-object.ts";
import { ignorablePointers, ignoreDrift } from "./ignore-drift.ts";

/** Plain data. */
export interface ChangeTask {
  readonly tree: TreeLocation;
  /** Files that the source leaves out. */
  readonly ignore: string | undefined;
  readonly action: "adopt" | "ignore";
  readonly drifted: readonly { readonly object: DriftedObject; readonly sync: Sync }[];
  /** What the tree is called, for messages. */
  readonly where: string;
}

/** A field that the new files decide otherwise. */
export interface ChangedField {
  /** Of `drifted`. */
  readonly index: number;
  readonly path: string;
  readonly file: string;
  readonly line: number | undefined;
}

export interface FileChange {
  /** New texts by path, of files that change. */
  readonly files: readonly (readonly [path: string, text: string])[];
  readonly changed: readonly ChangedField[];
  readonly refused: readonly (Refusal & { readonly index: number })[];
}

export type ChangeAnswer =
  | { readonly change: FileChange }
  | { readonly error: { readonly code: string; readonly message: string; readonly recovery: AppError["recovery"] } };

function workOut(task: ChangeTask): FileChange {
  const tree = withoutIgnored(openTree(task.tree), task.ignore);
  const files = new Map<string, string>();
  const changed: ChangedField[] = [];
  const refused: (Refusal & { index: number })[] = [];
  for (const [index, { object, sync }] of task.drifted.entries()) {
    const present = new OverlaidTree(tree, files);
    if (task.action === "adopt") {
      const result = adoptDrift(present, object, sync);
      for (const [path, text] of result.files) files.set(path, text);
      for (const { field, file, line } of result.adopted) changed.push({ index, path: field.path, file, line });
      refused.push(...result.refused.map((refusal) => ({ ...refusal, index })));
    } else {
      const pointers = ignorablePointers(object);
      const name = { namespace: sync.metadata.namespace ?? "", name: sync.metadata.name ?? "" };
      const { file, text, isNew } = ignoreDrift(present, { drifted: object, pointers, sync: name, where: task.where });
      if (isNew) files.set(file, text);
      for (const path of pointers) {
        if (isNew) changed.push({ index, path, file, line: undefined });
        else refused.push({ index, path, reason: `${file} says so already` });
      }
    }
  }
  return { files: [...files], changed, refused };
}

function answerOf(task: ChangeTask): ChangeAnswer {
  try {
    return { change: workOut(task) };
  } catch (error) {
    if (error instanceof AppError)
      return { error: { code: error.code, message: error.message, recovery: error.recovery } };
    return { error: { code: "internal-error", message: messageOf(error), recovery: "retry" } };
  }
}

// The file is imported for its types as well.
parentPort?.postMessage(answerOf(workerData as ChangeTask));
