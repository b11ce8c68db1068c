// Reads files for one kustomization directory and keeps its entries inside their bounds.

import { AppError } from "../../../runtime/errors.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import { RenderError, type RenderErrorCode, renderError } from "../../errors.ts";
import { baseNameOf, isWithin, joinPath, PathResolver, type ResolvedPath } from "../../paths.ts";
import type { RenderWarning } from "../../rendered.ts";
import { type FieldPath, FieldPositions, withFieldPositions } from "../kustomization/field-positions.ts";
import { KUSTOMIZATION_FILES } from "../kustomization/kustomization.ts";
import { nearestEntry } from "./nearest-entry.ts";
import {
  isRemoteFile,
  meansFile,
  parseRemoteReference,
  type RemoteContents,
  type RemoteReference,
  remoteFileName,
} from "./remote.ts";
import { submoduleOf } from "./submodules.ts";

export interface LoaderOptions {
  /** As `--load-restrictor LoadRestrictionsNone`: files may lie outside the kustomization's own directory. */
  readonly allowFilesOutsideRoot: boolean;
  /** Bytes of a single file. */
  readonly maxFileBytes: number;
  /** Where the tree lies on this machine; without it no absolute path leads into it. */
  readonly absoluteRoot?: string | undefined;
  /** What entries hold that name other places; without it they are refused. */
  readonly remotes?: RemoteContents | undefined;
  readonly warn?: ((warning: RenderWarning) => void) | undefined;
  /** Kustomizations that one build may read, counting each time. Default 20 000. */
  readonly maxKustomizations?: number | undefined;
  /** Kustomizations that lead to one another. Default 500, well within the stack. */
  readonly maxDepth?: number | undefined;
}

export interface LoadedFile {
  /** In the source, or as `remoteFileName` writes it. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

const MAX_KUSTOMIZATIONS = 20_000;
const MAX_DEPTH = 500;
/** What it is for a base to be another thing than a directory, with the real tool's categories. */
const CODES = {
  file: "render-missing-directory",
  missing: "render-missing-file",
  outside: "render-outside-root",
} as const satisfies Readonly<Record<string, RenderErrorCode>>;

/** As kustomize words it. */
const FORCED_GIT =
  "Forcing the git protocol using the 'git::' URL prefix is not supported. Kustomize currently strips this invalid prefix, but will stop doing so in a future release. Please remove the 'git::' prefix from your configuration.";

export class Loader {
  readonly tree: SourceTree;
  /** The directory of the kustomization, after symbolic links. */
  readonly root: string;
  readonly options: LoaderOptions;
  private readonly resolver: PathResolver;
  /** The same directory as the entries that led here spell it: through links, where `root` is behind them. */
  private readonly namedRoot: string;
  /** Directories of the kustomizations of this tree that led here, this one last. */
  private readonly visited: readonly string[];
  /** How the tree came to be named; `undefined` for the source itself. */
  private readonly remote: RemoteReference | undefined;
  /** References that led here, this tree's own last. */
  private readonly references: readonly RemoteReference[];
  /** What all loaders of a build count together. */
  private readonly counts: { kustomizations: number };
  private readonly depth: number;
  private fileName = "";
  private text = "";
  private knownPositions: FieldPositions | undefined;

  private constructor(from: LoaderFields) {
    this.tree = from.tree;
    this.root = from.root;
    this.options = from.options;
    this.resolver = from.resolver;
    this.namedRoot = from.namedRoot;
    this.visited = from.visited;
    this.remote = from.references.at(-1);
    this.references = from.references;
    this.counts = from.counts;
    this.depth = from.depth;
  }

  /** A loader for the directory to build. */
  static open(tree: SourceTree, path: string, options: LoaderOptions): Loader {
    const resolver = new PathResolver(tree, options.absoluteRoot);
    const normal = joinPath("", path);
    const found = normal === undefined ? undefined : resolver.resolve(normal);
    if (found?.type !== "directory") {
      const code = CODES[found?.type ?? "outside"];
      throw renderError(code, `${path} is no directory of the source`, { file: path });
    }
    const counts = { kustomizations: 0 };
    const { path: root } = found;
    const fields = { tree, root, namedRoot: root, options, resolver, visited: [root], references: [], counts };
    return new Loader({ ...fields, depth: 0 });
  }

  /** The loader of a base or component. Throws `render-cycle` when it lies on the way here. */
  child(entry: string): Loader {
    if (entry === "") throw this.fault("render-missing-file", entry, "an entry is empty");
    this.checkDepth(entry);
    const reference = parseRemoteReference(entry);
    if (reference !== undefined) return this.remoteChild(reference);
    this.checkDirectoryEntry(entry);
    const resolved = this.find(entry);
    if (resolved.type === "file") {
      throw this.fault("render-missing-directory", entry, `${entry} is a file, not a directory`);
    }
    if (resolved.type !== "directory") throw this.unresolved(entry, resolved.type, "render-missing-file");
    const above = this.visited.find((directory) => isWithin(resolved.path, directory));
    if (above !== undefined) {
      const what = `${entry} leads back to ${resolved.path === "" ? "the root" : resolved.path}, which contains what is being built (${this.visited.map((path) => path || ".").join(" -> ")})`;
      throw this.fault("render-cycle", entry, what);
    }
    const root = resolved.path;
    return this.below({ root, namedRoot: this.namedPath(entry, root), visited: [...this.visited, root] });
  }

  /** Whether an entry of `resources` names a directory; what names nothing is an error that names the entry. */
  isDirectory(entry: string): boolean {
    if (isRemoteFile(entry)) return !meansFile(entry);
    const resolved = entry === "" ? undefined : this.find(entry);
    if (resolved?.type === "file") return false;
    if (parseRemoteReference(entry) !== undefined) return true;
    if (resolved === undefined) throw this.fault("render-missing-file", entry, "an entry is empty");
    this.checkDirectoryEntry(entry);
    if (resolved.type !== "directory") throw this.unresolved(entry, resolved.type, "render-missing-file");
    return true;
  }

  /** Reads a file that the kustomization names. */
  load(entry: string): LoadedFile {
    if (entry === "") throw this.fault("render-missing-file", entry, "an entry is empty");
    if (isRemoteFile(entry)) return this.remoteFile(entry);
    const resolved = this.find(entry);
    if (resolved.type === "directory") {
      throw this.fault("render-missing-file", entry, `${entry} is a directory, not a file`);
    }
    if (resolved.type !== "file") throw this.unresolved(entry, resolved.type, "render-missing-file");
    if (!this.mayRead(resolved.path)) {
      const what = `${entry} is outside of the kustomization's directory; move it there or make it a base`;
      throw this.fault("render-outside-root", entry, what);
    }
    return this.read(resolved.path, this.namedPath(entry, resolved.path));
  }

  loadText(entry: string): { readonly path: string; readonly text: string } {
    const { path, bytes } = this.load(entry);
    return { path, text: decodeText(bytes, path, "render-invalid-resource") };
  }

  /** The one kustomization file of the directory. */
  loadKustomization(): { readonly path: string; readonly name: string; readonly text: string } {
    const limit = this.options.maxKustomizations ?? MAX_KUSTOMIZATIONS;
    this.counts.kustomizations += 1;
    if (this.counts.kustomizations > limit) {
      const what = `more than ${limit} kustomizations are read in this build, counting each time that one is named`;
      throw renderError("render-too-large", what, { file: this.nameOf(this.namedRoot) });
    }
    const found = KUSTOMIZATION_FILES.flatMap((name) => {
      const resolved = this.find(name);
      // As kustomize: one that may not be read, as behind a link to elsewhere, is not there.
      if (resolved.type !== "file" || !this.mayRead(resolved.path)) return [];
      return [{ path: this.namedPath(name, resolved.path), real: resolved.path }];
    });
    const directory = this.nameOf(this.namedRoot) || ".";
    const [first, second] = found;
    if (first === undefined) {
      const what = `${directory} has no kustomization.yaml`;
      throw renderError("render-missing-kustomization", what, { file: this.nameOf(this.namedRoot) });
    }
    if (second !== undefined) {
      const names = found.map(({ path }) => path.slice(path.lastIndexOf("/") + 1)).join(" and ");
      throw renderError("render-multiple-kustomizations", `${directory} has both ${names}; keep one`, {
        file: this.nameOf(first.path),
      });
    }
    this.fileName = this.nameOf(first.path);
    this.text = decodeText(this.read(first.real, first.path).bytes, this.fileName, "render-invalid-kustomization");
    return { path: this.fileName, name: baseNameOf(first.path), text: this.text };
  }

  /** An error about an entry of this kustomization file, with the place that names it; see `under`. */
  fault(code: RenderErrorCode, entry: string | FieldPath, what: string, cause?: unknown): RenderError {
    const positions = this.positions();
    const place = typeof entry === "string" ? positions.findText(entry, []) : positions.find(entry);
    return renderError(code, what, {
      file: this.fileName === "" ? this.nameOf(this.namedRoot) : this.fileName,
      ...place,
      ...(entry === "" ? {} : { field: entry }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /** Runs `act` for a field of this kustomization file; errors that name a part of it, or no place, get its position. */
  under<T>(field: FieldPath, act: () => T): T {
    return withFieldPositions(this.fileName, () => this.positions(), field, act);
  }

  private positions(): FieldPositions {
    this.knownPositions ??= new FieldPositions(this.text);
    return this.knownPositions;
  }

  private find(entry: string): ResolvedPath {
    if (entry.startsWith("/")) return this.resolver.resolveAbsolute(entry);
    const path = joinPath(this.root, entry);
    return path === undefined ? { type: "outside" } : this.resolver.resolve(path);
  }

  // As kustomize: only directories are held to these; a file may be called `a..b`, or be named from the root of the disk.
  private checkDirectoryEntry(entry: string): void {
    if (entry.startsWith("/")) {
      throw this.fault("render-absolute-path", entry, `${entry} is absolute; make it relative`);
    }
    if (entry.split("/").some((segment) => segment.includes("..") && segment !== "..")) {
      throw this.fault("render-ambiguous-path", entry, `${entry} has a segment that contains ..`);
    }
  }

  private unresolved(entry: string, type: "missing" | "outside", missing: RenderErrorCode): AppError {
    if (type === "missing") {
      const submodule = submoduleOf(this.tree, joinPath(this.root, entry) ?? "");
      const why =
        submodule === undefined
          ? `it is not in ${this.remote === undefined ? "the source" : this.remote.repository}`
          : `it lies in the Git submodule ${submodule}, and submodules are not fetched`;
      const meant = submodule === undefined ? nearestEntry(this.tree, this.resolver, this.root, entry) : undefined;
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      return this.fault(missing, entry, `${JSON.stringify(entry)} is named here, but ${why}${hint}`);
    }
    if (entry.startsWith("/")) {
      return this.fault("render-absolute-path", entry, `${entry} is absolute; make it relative`);
    }
    const place = this.remote === undefined ? "the source" : this.remote.repository;
    const how = joinPath(this.root, entry) === undefined ? "" : " through a symbolic link";
    return this.fault("render-outside-root", entry, `${entry} leads out of ${place}${how}`);
  }

  /** As kustomize: what a repository elsewhere holds is always kept to its own directories. */
  private mayRead(path: string): boolean {
    return (this.options.allowFilesOutsideRoot && this.remote === undefined) || isWithin(this.root, path);
  }

  private remoteChild(reference: RemoteReference): Loader {
    const { entry } = reference;
    const again = this.references.find((before) => before.entry.startsWith(entry));
    if (again !== undefined) {
      throw this.fault("render-cycle", entry, `${entry} leads back to ${again.entry}, which is being built`);
    }
    if (reference.forcedGit) {
      this.options.warn?.({ code: "forced-git-protocol", message: FORCED_GIT, file: this.fileName });
    }
    const { tree } = this.ask(entry, (remotes) => remotes.base(reference));
    const resolver = new PathResolver(tree);
    const path = joinPath("", reference.path);
    const found = path === undefined ? undefined : resolver.resolve(path);
    if (found?.type !== "directory") {
      const submodule = submoduleOf(tree, path ?? "");
      const why =
        submodule === undefined ? "" : `: it lies in the Git submodule ${submodule}, and submodules are not fetched`;
      const code = CODES[found?.type ?? "outside"];
      throw this.fault(code, entry, `${reference.path} is no directory of ${reference.repository}${why}`);
    }
    const references = [...this.references, reference];
    const { path: root } = found;
    return this.below({ tree, resolver, root, namedRoot: root, visited: [root], references });
  }

  private remoteFile(url: string): LoadedFile {
    const bytes = this.ask(url, (remotes) => remotes.file(url));
    this.checkSize(bytes, url);
    return { path: url, bytes };
  }

  /** Asks for what lies elsewhere; what goes wrong there is told with the place that names it. */
  private ask<T>(entry: string, question: (remotes: RemoteContents) => T): T {
    const { remotes } = this.options;
    if (remotes === undefined) {
      const what = `${entry} is remote, and nothing remote is fetched here: allow it (--allow-remote-bases), or make it a source of its own`;
      throw this.fault("render-remote-refused", entry, what);
    }
    try {
      return question(remotes);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { file, line, column, path } = this.fault("render-failed", entry, "").place;
      const place = { file, line, column, path, field: entry, cause: error };
      const { recovery, afterMs, details } = error;
      throw new RenderError(error.code, error.message, place, {
        recovery,
        details,
        ...(afterMs === undefined ? {} : { afterMs }),
      });
    }
  }

  /** As kustomize: origins are what entries say, links or not. What that would misname has its own path. */
  private namedPath(entry: string, path: string): string {
    const named = entry.startsWith("/") ? undefined : joinPath(this.namedRoot, entry);
    if (named === undefined || named === path) return path;
    const resolved = this.resolver.resolve(named);
    return "path" in resolved && resolved.path === path ? named : path;
  }

  private read(path: string, named: string): LoadedFile {
    const name = this.nameOf(named);
    const bytes = this.tree.read(path);
    if (bytes === undefined) throw renderError("render-missing-file", `${name} cannot be read`, { file: name });
    this.checkSize(bytes, name);
    return { path: name, bytes };
  }

  private checkSize(bytes: Uint8Array, file: string): void {
    if (bytes.length <= this.options.maxFileBytes) return;
    const what = `the file has ${bytes.length} bytes, more than ${this.options.maxFileBytes}`;
    throw renderError("render-too-large", what, { file });
  }

  private nameOf(path: string): string {
    return this.remote === undefined ? path : remoteFileName(this.remote, path);
  }

  private checkDepth(entry: string): void {
    const limit = this.options.maxDepth ?? MAX_DEPTH;
    if (this.depth < limit) return;
    throw this.fault("render-too-deep", entry, `kustomizations lead to one another over more than ${limit} levels`);
  }

  private below(changes: Partial<LoaderFields>): Loader {
    const { tree, root, namedRoot, options, resolver, visited, references, counts, depth } = this;
    const own = { tree, root, namedRoot, options, resolver, visited, references, counts, depth: depth + 1 };
    return new Loader({ ...own, ...changes });
  }
}

interface LoaderFields {
  readonly tree: SourceTree;
  readonly root: string;
  readonly namedRoot: string;
  readonly options: LoaderOptions;
  readonly resolver: PathResolver;
  readonly visited: readonly string[];
  readonly references: readonly RemoteReference[];
  readonly counts: { kustomizations: number };
  readonly depth: number;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

function decodeText(bytes: Uint8Array, file: string, code: RenderErrorCode): string {
  // As kustomize, whose YAML reader takes UTF-16 where its mark says so.
  const wide =
    bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "";
  try {
    return wide === "" ? decoder.decode(bytes) : new TextDecoder(wide, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw renderError(code, "the file is not UTF-8 text", { file, cause });
  }
}
