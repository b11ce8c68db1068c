// Reads files for one kustomization directory and keeps its entries inside their bounds.

import type { AppError } from "../../runtime/errors.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { type RenderErrorCode, renderError } from "../errors.ts";
import { isWithin, joinPath, PathResolver } from "../paths.ts";
import { KUSTOMIZATION_FILES } from "./kustomization.ts";

export interface LoaderOptions {
  /** As `--load-restrictor LoadRestrictionsNone`: files may lie outside the kustomization's own directory. */
  readonly allowFilesOutsideRoot: boolean;
  /** Bytes of a single file. */
  readonly maxFileBytes: number;
}

export interface LoadedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const REMOTE =
  /^(?:[a-z][a-z0-9+.-]*:\/\/|git::|[^/@\s]+@[^/\s]+:|(?:github\.com|gitlab\.com|bitbucket\.org)\/)|\?ref=|\.git(?:\/|\?|$)|_git\//i;

export class Loader {
  readonly tree: SourceTree;
  /** The directory of the kustomization, after symbolic links. */
  readonly root: string;
  readonly options: LoaderOptions;
  private readonly resolver: PathResolver;
  /** Directories of the kustomizations that led here, this one last. */
  private readonly visited: readonly string[];
  private fileName = "";
  private text = "";

  private constructor(from: LoaderFields) {
    this.tree = from.tree;
    this.root = from.root;
    this.options = from.options;
    this.resolver = from.resolver;
    this.visited = from.visited;
  }

  /** A loader for the directory to build. */
  static open(tree: SourceTree, path: string, options: LoaderOptions): Loader {
    const resolver = new PathResolver(tree);
    const normal = joinPath("", path);
    const found = normal === undefined ? undefined : resolver.resolve(normal);
    if (found?.type !== "directory") {
      const code = found?.type === "missing" ? "render-missing-directory" : "render-outside-root";
      throw renderError(code, `${path} is no directory of the source`, { file: path });
    }
    return new Loader({ tree, root: found.path, options, resolver, visited: [found.path] });
  }

  /** The loader of a base or component. Throws `render-cycle` when it lies on the way here. */
  child(entry: string): Loader {
    const resolved = this.locate(entry, "render-missing-directory");
    if (resolved.type !== "directory") {
      throw this.fault("render-missing-directory", entry, `${entry} is a file, not a directory`);
    }
    const above = this.visited.find((directory) => isWithin(resolved.path, directory));
    if (above !== undefined) {
      const what = `${entry} leads back to ${resolved.path === "" ? "the root" : resolved.path}, which contains what is being built (${this.visited.map((path) => path || ".").join(" -> ")})`;
      throw this.fault("render-cycle", entry, what);
    }
    return new Loader({
      tree: this.tree,
      root: resolved.path,
      options: this.options,
      resolver: this.resolver,
      visited: [...this.visited, resolved.path],
    });
  }

  /** Whether an entry names a directory; a missing one is an error that names the entry. */
  isDirectory(entry: string): boolean {
    return this.locate(entry, "render-missing-file").type === "directory";
  }

  /** Reads a file that the kustomization names. */
  load(entry: string): LoadedFile {
    const resolved = this.locate(entry, "render-missing-file");
    if (resolved.type !== "file") throw this.fault("render-missing-file", entry, `${entry} is a directory, not a file`);
    if (!this.options.allowFilesOutsideRoot && !isWithin(this.root, resolved.path)) {
      const what = `${entry} is outside of the kustomization's directory; move it there or make it a base`;
      throw this.fault("render-outside-root", entry, what);
    }
    return this.read(resolved.path);
  }

  loadText(entry: string): { readonly path: string; readonly text: string } {
    const { path, bytes } = this.load(entry);
    return { path, text: decodeText(bytes, path, "render-invalid-resource") };
  }

  /** The one kustomization file of the directory. */
  loadKustomization(): { readonly path: string; readonly text: string } {
    const found = KUSTOMIZATION_FILES.map((name) => joinPath(this.root, name)!).filter(
      (path) => this.resolver.resolve(path).type === "file",
    );
    const directory = this.root === "" ? "." : this.root;
    if (found.length > 1) {
      const names = found.map((path) => path.slice(path.lastIndexOf("/") + 1)).join(" and ");
      throw renderError("render-multiple-kustomizations", `${directory} has both ${names}; keep one`, {
        file: found[0],
      });
    }
    if (found[0] === undefined) {
      const what = `${directory} has no kustomization.yaml`;
      throw renderError("render-missing-kustomization", what, { file: this.root });
    }
    const resolved = this.resolver.resolve(found[0]);
    const { bytes } = this.read(resolved.type === "file" ? resolved.path : found[0]);
    this.fileName = found[0];
    this.text = decodeText(bytes, this.fileName, "render-invalid-kustomization");
    return { path: this.fileName, text: this.text };
  }

  /** An error about an entry of this kustomization file, with the line that names it. */
  fault(code: RenderErrorCode, entry: string, what: string, cause?: unknown): AppError {
    const at = entry === "" ? -1 : this.text.split("\n").findIndex((line) => line.includes(entry));
    return renderError(code, what, {
      file: this.fileName === "" ? this.root : this.fileName,
      ...(at < 0 ? {} : { line: at + 1 }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  private locate(entry: string, missing: RenderErrorCode): { type: "file" | "directory"; path: string } {
    if (entry === "") throw this.fault(missing, entry, "an entry is empty");
    if (entry.includes("://")) throw this.remote(entry);
    if (entry.startsWith("/"))
      throw this.fault("render-absolute-path", entry, `${entry} is absolute; make it relative`);
    if (entry.split("/").some((segment) => segment.includes("..") && segment !== "..")) {
      throw this.fault("render-ambiguous-path", entry, `${entry} has a segment that contains ..`);
    }
    const path = joinPath(this.root, entry);
    if (path === undefined) throw this.fault("render-outside-root", entry, `${entry} leads out of the source`);
    const resolved = this.resolver.resolve(path);
    if (resolved.type === "outside") {
      throw this.fault("render-outside-root", entry, `${entry} leads out of the source through a symbolic link`);
    }
    if (resolved.type === "missing") {
      if (REMOTE.test(entry)) throw this.remote(entry);
      throw this.fault(missing, entry, `${JSON.stringify(entry)} is named here, but it is not in the source`);
    }
    return resolved;
  }

  private remote(entry: string): AppError {
    return this.fault("render-remote-refused", entry, `${entry} is remote; make it a source of its own`);
  }

  private read(path: string): LoadedFile {
    const bytes = this.tree.read(path);
    if (bytes === undefined) throw renderError("render-missing-file", `${path} cannot be read`, { file: path });
    if (bytes.length > this.options.maxFileBytes) {
      const what = `the file has ${bytes.length} bytes, more than ${this.options.maxFileBytes}`;
      throw renderError("render-too-large", what, { file: path });
    }
    return { path, bytes };
  }
}

interface LoaderFields {
  readonly tree: SourceTree;
  readonly root: string;
  readonly options: LoaderOptions;
  readonly resolver: PathResolver;
  readonly visited: readonly string[];
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

function decodeText(bytes: Uint8Array, file: string, code: RenderErrorCode): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw renderError(code, "the file is not UTF-8 text", { file, cause });
  }
}
