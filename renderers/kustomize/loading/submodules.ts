import type { SourceTree } from "../../../sources/tree.ts";
import { isWithin } from "../../paths.ts";

const decoder = new TextDecoder();

/** The submodule that `path` lies in, by the tree's `.gitmodules`; its files are in another repository. */
export function submoduleOf(tree: SourceTree, path: string): string | undefined {
  const text = decoder.decode(tree.read(".gitmodules") ?? new Uint8Array());
  for (const [, value = ""] of text.matchAll(/^[ \t]*path[ \t]*=[ \t]*(.+?)[ \t]*$/gm)) {
    const folder = value.replace(/^"|"$/g, "").replace(/\/+$/, "");
    if (folder !== "" && isWithin(folder, path)) return folder;
  }
  return undefined;
}
