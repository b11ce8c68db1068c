// A repository on this machine, read where it is: bare, with a working copy, or one of several working copies.

import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gitInvalidRepository } from "../errors.ts";
import type { GitLimits } from "./limits.ts";
import { ObjectStore } from "./object-store.ts";
import { isOid, type RemoteRef } from "./remote-ref.ts";

const MAX_SYMBOLIC = 5;

/** Folders of one repository; the same but for additional working copies. */
export interface LocalRepository {
  /** Where `HEAD` is. */
  readonly gitDirectory: string;
  /** Where references and objects are. */
  readonly commonDirectory: string;
  /** Root of the working copy; `undefined` for a bare repository. */
  readonly workTree: string | undefined;
}

/**
 * The repository at `path` itself. With `upwards`, the working copy that holds `path`. Throws `git-invalid-repository`.
 */
export function openLocalRepository(path: string, options: { readonly upwards?: boolean } = {}): LocalRepository {
  let at: string;
  try {
    at = realpathSync(path);
  } catch (error) {
    throw gitInvalidRepository(path, "does not exist", error);
  }
  for (;;) {
    const found = openAt(at);
    if (found !== undefined) return checkFormat(path, found);
    const parent = dirname(at);
    if (options.upwards !== true || parent === at) throw gitInvalidRepository(path, "is no Git repository");
    at = parent;
  }
}

function openAt(path: string): LocalRepository | undefined {
  const dotGit = join(path, ".git");
  const stat = statSync(dotGit, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true && isGitDirectory(dotGit)) return withCommon(dotGit, path);
  if (stat?.isFile() === true) {
    const target = /^gitdir: (.+)$/m.exec(readFileSync(dotGit, "utf8"))?.[1];
    if (target !== undefined && statSync(resolve(path, target), { throwIfNoEntry: false })?.isDirectory() === true) {
      return withCommon(resolve(path, target), path);
    }
  }
  return isGitDirectory(path) ? withCommon(path, undefined) : undefined;
}

function isGitDirectory(path: string): boolean {
  return (
    statSync(join(path, "HEAD"), { throwIfNoEntry: false })?.isFile() === true &&
    (statSync(join(path, "objects"), { throwIfNoEntry: false })?.isDirectory() === true ||
      statSync(join(path, "commondir"), { throwIfNoEntry: false })?.isFile() === true)
  );
}

function withCommon(gitDirectory: string, workTree: string | undefined): LocalRepository {
  const common = readText(join(gitDirectory, "commondir"))?.trim();
  return {
    gitDirectory,
    commonDirectory: common === undefined ? gitDirectory : resolve(gitDirectory, common),
    workTree,
  };
}

function checkFormat(path: string, repository: LocalRepository): LocalRepository {
  const config = readText(join(repository.commonDirectory, "config")) ?? "";
  if (/^\s*objectformat\s*=\s*sha256/im.test(config)) {
    throw gitInvalidRepository(path, "names its objects by sha256, and only sha1 can be read");
  }
  if (/^\s*refstorage\s*=\s*reftable/im.test(config)) {
    throw gitInvalidRepository(path, "keeps its references as reftable, and only files can be read");
  }
  return repository;
}

export function localStore(repository: LocalRepository, limits?: GitLimits): ObjectStore {
  return new ObjectStore(join(repository.commonDirectory, "objects"), limits);
}

/** References whose names start with one of the prefixes, tags peeled, as a server would list them. */
export function listLocalRefs(
  repository: LocalRepository,
  store: ObjectStore,
  prefixes: readonly string[],
): readonly RemoteRef[] {
  const oids = new Map<string, string>();
  for (const line of (readText(join(repository.commonDirectory, "packed-refs")) ?? "").split("\n")) {
    const match = /^([0-9a-f]{40}) (\S+)$/.exec(line);
    if (match !== null) oids.set(match[2] ?? "", match[1] ?? "");
  }
  for (const name of looseNames(repository.commonDirectory, "refs")) {
    const oid = resolveLocalRef(repository, name)?.oid;
    if (oid !== undefined) oids.set(name, oid);
  }
  const refs: RemoteRef[] = [];
  const head = resolveLocalRef(repository, "HEAD");
  if (head !== undefined) oids.set("HEAD", head.oid);
  for (const [name, oid] of oids) {
    if (!prefixes.some((prefix) => name.startsWith(prefix))) continue;
    const object = name.startsWith("refs/tags/") ? store.find(oid) : undefined;
    const commit = object?.type === "tag" ? store.peelToCommit(oid) : oid;
    refs.push({
      name,
      oid: commit,
      ...(commit === oid ? {} : { tagOid: oid }),
      ...(name === "HEAD" && head !== undefined && head.name !== "HEAD" ? { target: head.name } : {}),
    });
  }
  return refs.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Follows symbolic references; `undefined` when the name leads nowhere (a branch without commits). */
export function resolveLocalRef(
  repository: LocalRepository,
  name: string,
): { readonly name: string; readonly oid: string } | undefined {
  let at = name;
  for (let i = 0; i < MAX_SYMBOLIC; i++) {
    if (at !== "HEAD" && !/^refs\/[^\0]+$/.test(at) && !/^[A-Z_]+$/.test(at)) return undefined;
    if (at.split("/").includes("..")) return undefined;
    const text = readText(join(repository.gitDirectory, at)) ?? readText(join(repository.commonDirectory, at));
    if (text === undefined) return packedRef(repository, at);
    const target = /^ref: (\S+)/.exec(text)?.[1];
    if (target === undefined) {
      const oid = text.slice(0, 40);
      return isOid(oid) ? { name: at, oid } : undefined;
    }
    at = target;
  }
  return undefined;
}

function packedRef(repository: LocalRepository, name: string): { name: string; oid: string } | undefined {
  for (const line of (readText(join(repository.commonDirectory, "packed-refs")) ?? "").split("\n")) {
    if (line.slice(41) === name && isOid(line.slice(0, 40))) return { name, oid: line.slice(0, 40) };
  }
  return undefined;
}

function looseNames(root: string, folder: string): string[] {
  let entries: { readonly name: string; isDirectory(): boolean; isFile(): boolean }[];
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return looseNames(root, name);
    return entry.isFile() && !entry.name.endsWith(".lock") ? [name] : [];
  });
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
