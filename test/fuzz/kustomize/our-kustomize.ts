// Our own build of an input of the fuzz, as the command line does it.
import { emitYaml } from "../../../renderers/kustomize/emit.ts";
import { type KustomizeOptions, renderKustomization } from "../../../renderers/kustomize/render.ts";
import { MemoryTree } from "../../../renderers/memory-tree.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import type { GeneratedKustomization } from "./area.ts";
import type { Outcome } from "./comparison.ts";

/** What stands for an exception that is no `AppError`: always a difference. */
export const BUG = "bug";

/** Builds one input with our renderer. */
export function buildOurs(input: GeneratedKustomization): Outcome {
  return buildTree(new MemoryTree(input.files), input.path, input.args ?? []);
}

/** Builds a directory of a tree with the flags of `kustomize build`. */
export function buildTree(tree: SourceTree, path: string, args: readonly string[]): Outcome {
  try {
    const { objects, warnings } = renderKustomization(tree, path, optionsOf(args));
    return {
      output: emitYaml(objects.map(({ object }) => object)),
      warnings: warnings.filter(({ code }) => code === "deprecated-field").map(({ message }) => message),
    };
  } catch (error) {
    if (error instanceof AppError) {
      return { failure: { category: error.code.replace(/^render-/, ""), message: error.message }, warnings: undefined };
    }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { failure: { category: BUG, message }, warnings: undefined };
  }
}

function optionsOf(args: readonly string[]): KustomizeOptions {
  const argumentOf = (flag: string): string | undefined => {
    const at = args.indexOf(flag);
    return at >= 0 ? args[at + 1] : args.find((arg) => arg.startsWith(`${flag}=`))?.slice(flag.length + 1);
  };
  return {
    allowFilesOutsideRoot: argumentOf("--load-restrictor") === "LoadRestrictionsNone",
    order: argumentOf("--reorder") === "none" ? "none" : "legacy",
  };
}
