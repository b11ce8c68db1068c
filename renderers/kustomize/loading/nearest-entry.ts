import { nearest } from "../../../api/nearest.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import { type PathResolver, parentOf } from "../../paths.ts";

/** Longer than any name of a file: what is longer is a text in the place of a name. */
const LONGEST_NAME = 255;

/**
 * The entry that one which names nothing probably means: the same path with its first part that is not there replaced
 * by the nearest name beside it, if all of the path is there then. `directory` is where the entry counts from.
 */
export function nearestEntry(
  tree: SourceTree,
  resolver: PathResolver,
  directory: string,
  entry: string,
): string | undefined {
  if (entry.startsWith("/")) return undefined;
  const parts = entry.split("/");
  let current = directory;
  for (const [index, part] of parts.entries()) {
    const next = part === ".." ? parentOf(current) : part === "" || part === "." ? current : below(current, part);
    const found = resolver.resolve(next);
    if ("path" in found) {
      current = found.path;
      continue;
    }
    if (part.length > LONGEST_NAME) return undefined;
    const meant = nearest(part, tree.list(current)?.map(({ name }) => name) ?? []);
    if (meant === undefined) return undefined;
    const rest = parts.slice(index + 1);
    const whole = resolver.resolve([below(current, meant), ...rest].join("/"));
    return "path" in whole ? [...parts.slice(0, index), meant, ...rest].join("/") : undefined;
  }
  return undefined;
}

function below(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
