// Makes an input of the kustomize fuzz smaller while it still shows the same difference.
import type { TreeFiles } from "../../../renderers/memory-tree.ts";
import type { GeneratedKustomization } from "./area.ts";

/**
 * The smallest input found for which `differs` still answers true: without files, flags, documents, fields, list entries and
 * lines that do not matter. Asks at most `tries` times.
 */
export async function minimiseFiles(
  input: GeneratedKustomization,
  differs: (input: GeneratedKustomization) => Promise<boolean>,
  tries = 4000,
): Promise<GeneratedKustomization> {
  let best = input;
  let left = tries;
  const attempt = async (smaller: GeneratedKustomization): Promise<boolean> => {
    if (left-- <= 0 || !(await differs(smaller))) return false;
    best = smaller;
    return true;
  };
  const cutAt = async (path: string, at: number): Promise<boolean> => {
    const lines = linesOf(best.files, path);
    // The newline at the end stays.
    if (at === lines.length - 1 && lines[at] === "") return false;
    const cuts = new Set([blockEnd(lines, at), at + 1]);
    if (at === 0) cuts.add(lines.findIndex((line) => line.startsWith("---")) + 1);
    // Objects without an apiVersion are another matter.
    if (/^\W*apiVersion\W/.test(lines[at]!)) cuts.delete(at + 1);
    for (const end of cuts) {
      const text = lines.toSpliced(at, end - at).join("\n");
      if (end > at && (await attempt({ ...best, files: { ...best.files, [path]: text } }))) return true;
    }
    return false;
  };
  for (let size = Number.POSITIVE_INFINITY; sizeOf(best.files) < size && left > 0; ) {
    size = sizeOf(best.files);
    if ((best.args ?? []).length > 0) await attempt({ files: best.files, path: best.path });
    for (const path of Object.keys(best.files)) await attempt({ ...best, files: without(best.files, path) });
    for (const path of Object.keys(best.files)) {
      // Whole fields before their parts; what is cut away brings the next line to the same place.
      for (let at = 0; at < linesOf(best.files, path).length && left > 0; ) {
        if (!(await cutAt(path, at))) at++;
      }
    }
  }
  return best;
}

function sizeOf(files: TreeFiles): number {
  return Object.entries(files).reduce(
    (sum, [, content]) => sum + 1 + (typeof content === "string" ? content.length : 0),
    0,
  );
}

function without(files: TreeFiles, path: string): TreeFiles {
  return Object.fromEntries(Object.entries(files).filter(([other]) => other !== path));
}

/** The lines of a text file; none for links and bytes, which stay as they are. */
function linesOf(files: TreeFiles, path: string): string[] {
  const content = files[path];
  return typeof content === "string" ? content.split("\n") : [];
}

/** Where what the line opens ends: a document, a field with its value, an entry of a list. */
function blockEnd(lines: readonly string[], start: number): number {
  const first = lines[start] ?? "";
  let end = start + 1;
  if (first.startsWith("---")) {
    while (end < lines.length && !lines[end]!.startsWith("---")) end++;
    return end;
  }
  const indent = indentOf(first);
  const isEntry = first.trimStart().startsWith("- ");
  for (; end < lines.length; end++) {
    const line = lines[end]!;
    if (line.trim() === "" || line.startsWith("---")) break;
    const own = indentOf(line);
    // Entries of a list may stand at the column of its key.
    const entryOfOurs = own === indent && !isEntry && line.trimStart().startsWith("- ");
    if (own <= indent && !entryOfOurs) break;
  }
  return end;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
