// Repositories and files elsewhere that kustomizations are based on: fetched when an allow-list has them, once when what is
// named cannot change, and without running any program.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../runtime/errors.ts";
import {
  gitTimeout,
  remoteAddressInvalid,
  remoteFileFailed,
  remoteNotAllowed,
  remoteTagMoved,
  remoteUnpinned,
} from "./errors.ts";
import type { GitCredentials } from "./git/credentials.ts";
import type { GitLimits } from "./git/limits.ts";
import { isOid } from "./git/remote-ref.ts";
import { cacheDirectoryName, openRepository } from "./git/repository.ts";
import type { GitRepository } from "./git/revision.ts";
import { type AllowedRemote, findAllowed, locateRemote, type RemotePlace } from "./remote-allow-list.ts";
import { fetchRemoteFile } from "./remote-file.ts";
import type { SourceTree } from "./tree.ts";

export interface RemoteBasesOptions {
  /** Folder for what is fetched, made when missing: repositories, files, and which commit a tag was. */
  readonly cacheRoot: string;
  readonly allowed: readonly AllowedRemote[];
  readonly limits?: Partial<GitLimits> | undefined;
  /** Bytes of one file over http(s). Default 16 MiB. */
  readonly maxFileBytes?: number | undefined;
}

export interface RemoteBaseRequest {
  /** As a Git client takes it. */
  readonly repository: string;
  /** Branch, tag or commit; empty for the default branch. */
  readonly ref: string;
  /** What its author would wait; counts between half a minute and five. */
  readonly timeoutMs: number;
}

const MIN_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 300_000;
const FILE_TIMEOUT_MS = 60_000;
const MAX_FILE_BYTES = 16 << 20;

/**
 * Answers what remote entries hold. Owns connections and open files until `close`.
 *
 * A commit, and a tag from its first use on, is never asked for again: what is in the cache works without a network,
 * and a tag that is moved changes nothing that runs. Errors are those of Git sources, and `remote-…`.
 */
export class RemoteBases {
  readonly #options: RemoteBasesOptions;
  readonly #opened = new Map<string, GitRepository>();

  constructor(options: RemoteBasesOptions) {
    this.#options = options;
  }

  /** The files of a repository at a commit. With a `namespace`, patterns that are others' alone do not count. */
  async base(
    request: RemoteBaseRequest,
    signal: AbortSignal,
    namespace?: string,
  ): Promise<{ readonly tree: SourceTree }> {
    const { place, rules } = this.#allow(request.repository, namespace);
    const timeoutMs = Math.min(Math.max(request.timeoutMs, MIN_TIMEOUT_MS), MAX_TIMEOUT_MS);
    return within(timeoutMs, signal, place.url, (limited) => this.#tree(place, rules, request.ref, limited));
  }

  /** The bytes of a file over http(s). `namespace` as for `base`. */
  async file(address: string, signal: AbortSignal, namespace?: string): Promise<Uint8Array> {
    const { place, rules } = this.#allow(address, namespace);
    if (place.scheme === "file:") throw remoteAddressInvalid(address, "is no file over http(s)");
    const { search, hash } = new URL(address);
    const wanted = /^#sha256=([0-9a-f]{64})$/i.exec(hash)?.[1]?.toLowerCase();
    const pinned = wanted !== undefined || place.segments.some(isVersion);
    if (!pinned && !rules.unpinned) {
      const advice = "use a URL with a version or commit in its path, or add #sha256=DIGEST";
      throw remoteUnpinned(address, "a URL without version", advice);
    }
    const name = digestOf(`${place.url}${search}\0${ownerOf(rules.credentials)}`);
    const path = join(this.#options.cacheRoot, "files", name);
    const known = pinned ? readIfThere(path) : undefined;
    if (known !== undefined && (wanted === undefined || digestOf(known) === wanted)) return known;
    const bytes = await within(FILE_TIMEOUT_MS, signal, place.url, (limited) =>
      fetchRemoteFile({
        url: new URL(place.url + search),
        credentials: rules.credentials,
        mayRedirect: (target) => this.#mayRedirect(target, rules),
        maxBytes: this.#options.maxFileBytes ?? MAX_FILE_BYTES,
        signal: limited,
      }),
    );
    if (wanted !== undefined && digestOf(bytes) !== wanted) {
      throw remoteFileFailed(place.url, `its SHA-256 is ${digestOf(bytes)}, not the one named`, { recovery: "stall" });
    }
    if (pinned) replaceFile(path, bytes);
    return bytes;
  }

  close(): void {
    for (const repository of this.#opened.values()) repository.close();
    this.#opened.clear();
  }

  #allow(
    address: string,
    namespace: string | undefined,
  ): { readonly place: RemotePlace; readonly rules: AllowedRemote } {
    const place = locateRemote(address);
    const allowed = this.#options.allowed.filter(
      ({ namespaces }) => namespace === undefined || namespaces === undefined || namespaces.includes(namespace),
    );
    const rules = findAllowed(place, allowed);
    if (rules !== undefined) return { place, rules };
    throw remoteNotAllowed(
      address,
      allowed.map(({ pattern }) => pattern),
    );
  }

  /** From what `rules` allow to more of the same, or to what everybody may name. */
  #mayRedirect(target: URL, rules: AllowedRemote): boolean {
    const allowed = this.#options.allowed.filter((each) => each === rules || each.namespaces === undefined);
    try {
      return findAllowed(locateRemote(target.href), allowed) !== undefined;
    } catch {
      return false;
    }
  }

  async #tree(
    place: RemotePlace,
    rules: AllowedRemote,
    ref: string,
    signal: AbortSignal,
  ): Promise<{ readonly tree: SourceTree }> {
    const name = cacheDirectoryName(place.url, ownerOf(rules.credentials));
    const repository = this.#open(name, place, rules);
    if (isOid(ref.toLowerCase())) return repository.fetchRevision({ commit: ref.toLowerCase() }, { signal });
    const record = new TagRecord(join(this.#options.cacheRoot, "tags", name));
    const tag = ref.replace(/^refs\/tags\//, "");
    const commit = record.commitOf(tag);
    if (commit !== undefined) return fetchRecorded(repository, place, { tag, commit, record }, signal);
    if (ref !== "" && !ref.startsWith("refs/heads/")) {
      const tagged = await orMissing(repository.fetchRevision({ tag }, { signal }));
      if (tagged !== undefined) {
        record.remember(tag, tagged.commit);
        return tagged;
      }
      if (tag !== ref) throw unpinned(place, ref);
    }
    if (!rules.unpinned) throw unpinned(place, ref);
    const branch = ref.replace(/^refs\/heads\//, "");
    const reference = ref === "" ? {} : /^refs\/(?!heads\/)/.test(ref) ? { name: ref } : { branch };
    return repository.fetchRevision(reference, { signal });
  }

  #open(name: string, place: RemotePlace, rules: AllowedRemote): GitRepository {
    const opened = this.#opened.get(name);
    if (opened !== undefined) return opened;
    const repository = openRepository({
      url: place.url,
      cacheDirectory: join(this.#options.cacheRoot, "repositories", name),
      credentials: rules.credentials,
      limits: this.#options.limits,
      timeoutMs: MAX_TIMEOUT_MS,
      allowLocal: place.scheme === "file:",
      mayRedirect: (target) => this.#mayRedirect(target, rules),
    });
    this.#opened.set(name, repository);
    return repository;
  }
}

/** Which commit each tag of a repository was when it was first used. */
class TagRecord {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  commitOf(tag: string): string | undefined {
    return this.#read().get(tag);
  }

  remember(tag: string, commit: string): void {
    const lines = [...this.#read().set(tag, commit)].map(([name, oid]) => `${oid} ${name}\n`);
    replaceFile(this.path, Buffer.from(lines.join("")));
  }

  #read(): Map<string, string> {
    const text = Buffer.from(readIfThere(this.path) ?? new Uint8Array()).toString("utf8");
    return new Map(Array.from(text.matchAll(/^([0-9a-f]{40}) (.+)$/gm), ([, oid = "", name = ""]) => [name, oid]));
  }
}

async function fetchRecorded(
  repository: GitRepository,
  place: RemotePlace,
  known: { readonly tag: string; readonly commit: string; readonly record: TagRecord },
  signal: AbortSignal,
): Promise<{ readonly tree: SourceTree }> {
  const { tag: ref, commit: before, record } = known;
  try {
    return await repository.fetchRevision({ commit: before }, { signal });
  } catch (error) {
    // It is no longer here, nor given under its own name: perhaps because the tag is another commit now.
    if (!(error instanceof AppError) || error.code !== "git-object-missing") throw error;
    const { commit: now } = await repository.resolveRevision({ tag: ref }, { signal });
    if (now !== before) throw remoteTagMoved(place.url, { ref, before, now, record: record.path });
    return repository.fetchRevision({ tag: ref }, { signal });
  }
}

async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError && error.code === "git-ref-not-found") return undefined;
    throw error;
  }
}

function unpinned(place: RemotePlace, ref: string): AppError {
  const advice = "name a tag, or a commit with all its 40 digits";
  if (ref === "") return remoteUnpinned(place.url, "no ref", advice);
  const what = /^[0-9a-f]{7,39}$/i.test(ref)
    ? `${JSON.stringify(ref)}, the beginning of a commit`
    : JSON.stringify(ref);
  return remoteUnpinned(place.url, `${what}, which is no tag`, advice);
}

/** `v1.2.3`, `chart-1.2.3-rc.1`, a commit: what releases are called. `release-1.30` is how branches are called. */
function isVersion(segment: string): boolean {
  return isOid(segment.toLowerCase()) || /(?:^|[^0-9A-Za-z.])v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/.test(segment);
}

async function within<T>(
  timeoutMs: number,
  outer: AbortSignal,
  url: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    outer.throwIfAborted();
    return await work(AbortSignal.any([outer, deadline]));
  } catch (error) {
    if (deadline.aborted && !outer.aborted && !(error instanceof AppError)) throw gitTimeout(url, timeoutMs);
    throw error;
  }
}

/** Tells caches of different credentials apart, so that who may use one may read what is in it. */
function ownerOf(credentials: GitCredentials | undefined): string {
  return credentials === undefined ? "" : digestOf(JSON.stringify(credentials));
}

function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function replaceFile(path: string, bytes: Uint8Array): void {
  mkdirSync(join(path, ".."), { recursive: true });
  const temporary = `${path}.tmp-${process.pid}`;
  writeFileSync(temporary, bytes, { flush: true });
  renameSync(temporary, path);
}
