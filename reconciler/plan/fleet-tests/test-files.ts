// The files of fleet tests in a repository.
import { type ParsedFleetTests, parseFleetTests } from "../../../api/parse-fleet-test.ts";
import type { SourceTree } from "../../../sources/tree.ts";

/** A file of tests as it was read. */
export interface FleetTestFile {
  /** Path in the repository. */
  readonly file: string;
  readonly parsed: ParsedFleetTests;
}

export interface FoundTestFiles {
  readonly files: readonly FleetTestFile[];
  /** Set when there are more than are read. */
  readonly leftOut: string | undefined;
}

const NAME = /\.fleet\.ya?ml$/i;
const MOST_FILES = 200;
const MOST_BYTES = 1024 * 1024;
/** Entries of folders that are looked at. */
const MOST_ENTRIES = 200_000;
const MOST_DEPTH = 64;

export function isFleetTestFile(name: string): boolean {
  return NAME.test(name);
}

/** Every `*.fleet.yaml` in and below a folder, in order of path. Links are not followed, nor names that begin with a dot. */
export function findTestFiles(tree: SourceTree, folder: string): FoundTestFiles {
  const paths: string[] = [];
  let entries = 0;
  const visit = (at: string, depth: number): void => {
    for (const { name, type } of tree.list(at) ?? []) {
      if (++entries > MOST_ENTRIES || paths.length > MOST_FILES) return;
      if (name.startsWith(".") || name === "node_modules") continue;
      const path = at === "" ? name : `${at}/${name}`;
      if (type === "directory" && depth < MOST_DEPTH) visit(path, depth + 1);
      else if (type === "file" && isFleetTestFile(name)) paths.push(path);
    }
  };
  visit(folder, 0);
  const isCut = paths.length > MOST_FILES || entries > MOST_ENTRIES;
  return {
    files: paths.slice(0, MOST_FILES).map((file) => readTestFile(tree, file)),
    leftOut: isCut ? `only the first ${Math.min(paths.length, MOST_FILES)} files of fleet tests were read` : undefined,
  };
}

/** Of these paths the files of tests in and below a folder; what the tree does not have is passed over. */
export function readTestFiles(tree: SourceTree, folder: string, paths: readonly string[]): FleetTestFile[] {
  const below = folder === "" ? "" : `${folder}/`;
  return paths
    .filter((path) => isFleetTestFile(path) && path.startsWith(below) && tree.read(path) !== undefined)
    .slice(0, MOST_FILES)
    .map((path) => readTestFile(tree, path));
}

function readTestFile(tree: SourceTree, file: string): FleetTestFile {
  const bytes = tree.read(file) ?? new Uint8Array();
  if (bytes.length > MOST_BYTES) {
    const words = `is longer than ${MOST_BYTES / 1024} KiB`;
    return { file, parsed: { problems: [{ line: 1, column: 1, field: "", words }] } };
  }
  return { file, parsed: parseFleetTests(Buffer.from(bytes).toString("utf8"), file) };
}
