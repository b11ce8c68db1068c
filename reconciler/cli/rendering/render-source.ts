// What `render` reads from: a folder on disk, or a revision of a Git repository.
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseRemoteReference } from "../../../renderers/kustomize/loading/remote.ts";
import { joinPath, PathResolver } from "../../../renderers/paths.ts";
import { AppError } from "../../../runtime/errors.ts";
import { DirectoryTree } from "../../../sources/directory.ts";
import { FileSystemTree } from "../../../sources/file-system.ts";
import type { GitReference } from "../../../sources/git/reference.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import type { Io } from "../command.ts";
import { KustomizationTree } from "./kustomization-tree.ts";

export interface RenderSource {
  readonly tree: SourceTree;
  /** The folder to render, within the tree. */
  readonly path: string;
  /** Where the tree lies on this machine, when absolute paths may lead into it. */
  readonly absoluteRoot: string | undefined;
  /** A path of the tree as the person at the command line would write it. */
  describe(path: string): string;
  /** Whether a word of a message is a path of the tree. */
  isPath(word: string): boolean;
  close(): void;
}

/**
 * A folder of this machine. Without `root` everything beside it can be read, as `kustomize build` can; with it nothing
 * outside of `root`, as when a Sync renders it. Throws `render-path-missing`.
 */
export function openFolder(cwd: string, path: string, root?: string): RenderSource {
  const folder = resolve(cwd, path);
  checkFolder(folder, path);
  const describe = (absolute: string): string => {
    const near = relative(cwd, absolute);
    return near === "" ? "." : near.length < absolute.length ? near : absolute;
  };
  if (root !== undefined) {
    const top = resolve(cwd, root);
    checkFolder(top, root);
    const within = relative(top, folder);
    return {
      tree: new DirectoryTree(top),
      path: within,
      absoluteRoot: undefined,
      describe: (file) => describe(join(top, file)),
      isPath: () => false,
      close: () => {},
    };
  }
  const tree = new FileSystemTree(folder);
  return {
    tree,
    path: tree.pathOf(folder),
    absoluteRoot: tree.absolute(""),
    describe: (file) => describe(tree.absolute(file)),
    isPath: (word) => word.includes("/") && tree.hasSeen(word),
    close: () => {},
  };
}

function checkFolder(folder: string, name: string): void {
  const found = name === "" ? undefined : statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  const what =
    found === undefined
      ? `there is no folder ${name === "" ? "with an empty name" : name}`
      : `${name} is a file: name the folder that it is in, or give it with -f`;
  throw new AppError("render-path-missing", what, { recovery: "stall" });
}

/** What kustomize takes for a repository elsewhere: `https://host/org/repo//path?ref=v1`. Undefined for a folder's path. */
export function readRepositoryAddress(path: string, cwd: string): GitPlace | undefined {
  const reference = parseRemoteReference(path);
  if (reference === undefined || statSync(resolve(cwd, path), { throwIfNoEntry: false }) !== undefined)
    return undefined;
  return { repository: reference.repository, ref: reference.ref || undefined, path: reference.path };
}

export interface GitPlace {
  /** An address, or a path of this machine. */
  readonly repository: string;
  /** Branch, tag, commit or full name of a reference; of a local repository whatever `plan --base` takes. */
  readonly ref: string | undefined;
  /** Folder within the repository. */
  readonly path: string;
}

/** A folder of a revision. Nothing is checked out, and nothing outside of the repository can be read. */
export async function openRevision(place: GitPlace, io: Io, signal: AbortSignal): Promise<RenderSource> {
  const { tree, close } = await openGitTree(place, io, signal);
  const path = joinPath("", place.path);
  if (path === undefined || new PathResolver(tree).resolve(path).type !== "directory") {
    close();
    const what = `${place.repository} has no folder ${place.path} at ${tree.revision}`;
    throw new AppError("render-path-missing", what, { recovery: "stall" });
  }
  return { tree, path, absoluteRoot: undefined, describe: (file) => file, isPath: () => false, close };
}

async function openGitTree(
  { repository, ref }: GitPlace,
  io: Io,
  signal: AbortSignal,
): Promise<{ tree: SourceTree; close: () => void }> {
  const { locateRepository } = await import("../../../sources/git/url.ts");
  const onDisk = resolve(io.cwd, repository);
  const location =
    statSync(onDisk, { throwIfNoEntry: false }) === undefined
      ? locateRepository(repository)
      : { kind: "local" as const, path: onDisk };
  if (location.kind === "local") {
    const { openWorkingCopy } = await import("../../../sources/git/working-copy.ts");
    const copy = openWorkingCopy(resolve(io.cwd, location.path));
    try {
      return { tree: copy.tree(copy.resolve(ref ?? "HEAD")), close: () => copy.close() };
    } catch (error) {
      copy.close();
      throw error;
    }
  }
  const { cacheDirectoryName, openRepository } = await import("../../../sources/git/repository.ts");
  const caches = join(io.env["XDG_CACHE_HOME"] || join(io.env["HOME"] || homedir(), ".cache"), "flaghoist", "git");
  const opened = openRepository({
    url: repository,
    cacheDirectory: join(caches, cacheDirectoryName(repository, "render")),
  });
  try {
    return { tree: (await fetchFirst(opened, references(ref), signal)).tree, close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** What a name may mean, in Git's order: a tag before a branch. */
function references(ref: string | undefined): readonly GitReference[] {
  if (ref === undefined || ref === "") return [{}];
  if (/^[0-9a-f]{40}$/i.test(ref)) return [{ commit: ref }];
  return ref.startsWith("refs/") ? [{ name: ref }] : [{ tag: ref }, { branch: ref }];
}

async function fetchFirst(
  repository: Awaited<ReturnType<typeof import("../../../sources/git/repository.ts").openRepository>>,
  [first = {}, ...others]: readonly GitReference[],
  signal: AbortSignal,
): Promise<{ readonly tree: SourceTree }> {
  try {
    return await repository.fetchRevision(first, { signal });
  } catch (error) {
    if (others.length === 0 || !(error instanceof AppError) || error.code !== "git-ref-not-found") throw error;
    return await fetchFirst(repository, others, signal);
  }
}

/** The same source, with `text` as the kustomization file of its folder; `name` says in errors where it comes from. */
export function withKustomization(source: RenderSource, text: Uint8Array, name: string): RenderSource {
  const { tree, path } = source;
  const found = new PathResolver(tree, source.absoluteRoot).resolve(joinPath("", path) ?? path);
  if (found.type !== "directory")
    throw new AppError("render-path-missing", `there is no folder ${path}`, { recovery: "stall" });
  const changed = new KustomizationTree(tree, found.path, text);
  return {
    ...source,
    tree: changed,
    describe: (file) => (file === changed.file ? name : source.describe(file)),
    isPath: (word) => word === changed.file || source.isPath(word),
  };
}

/** An error with the paths in it as `source.describe` has them. */
export function namePaths(error: unknown, source: RenderSource): unknown {
  if (!(error instanceof AppError)) return error;
  const { file } = error.details;
  const described = typeof file === "string" ? source.describe(file) : undefined;
  let { message } = error;
  let start = "";
  if (described !== undefined && file !== "" && message.startsWith(`${String(file)}:`)) {
    start = described;
    message = message.slice(String(file).length);
  }
  const rest = message.replaceAll(/[^\s"'`(),;:]+/g, (word) => (source.isPath(word) ? source.describe(word) : word));
  return new AppError(error.code, start + rest, {
    recovery: error.recovery,
    details: { ...error.details, ...(described === undefined ? {} : { file: described }) },
    cause: error.cause,
  });
}
