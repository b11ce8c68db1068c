// What an area of the kustomize fuzz is: a way to make source trees that lean on one part of kustomize.
import type { TreeFiles } from "../../../renderers/memory-tree.ts";
import type { Random } from "../../../runtime/random.ts";

/** One random input: files, the directory to build, and flags of `kustomize build`. */
export interface GeneratedKustomization {
  readonly files: TreeFiles;
  /** Relative to the root of the files; `.` is the root. */
  readonly path: string;
  /** Of `--load-restrictor VALUE`, `--reorder VALUE` and `--enable-helm`. */
  readonly args?: readonly string[];
}

export interface Area {
  /** Lower case; `--area NAME`. */
  readonly name: string;
  /**
   * Makes an input from chance alone. Mostly builds that succeed; what fails must fail in kustomize for one reason, since
   * of two faults each side may find another first. Avoids what kustomize itself answers by accident (Go's maps, crashes).
   */
  generate(random: Random): GeneratedKustomization;
}
