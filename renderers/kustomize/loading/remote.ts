// What kustomizations name that lies elsewhere: Git repositories as bases, and single files over http(s).
//
// Rendering never touches the network. Whoever renders gives `KustomizeOptions.remotes`, which answers at once from what
// is there; without it every remote entry is refused. `withRemotes` of `renderers/remote-render.ts` fetches what is missing
// and renders again; `RenderPool.render` fetches while its worker waits. What fetches, within an allow-list, is
// `RemoteBases` of `sources/remote-bases.ts`; commands make one by `openRemoteBases` of `reconciler/cli/remote-settings.ts`.

import { isDuration, parseDuration } from "../../../runtime/duration.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import { joinPath } from "../../paths.ts";

/** A directory of a Git repository, as a base or component names it. */
export interface RemoteReference {
  /** As it is written. */
  readonly entry: string;
  /** What a Git client takes: `https://github.com/org/repo`, `git@host:org/repo.git`, `file:///srv/repo`. */
  readonly repository: string;
  /** Directory inside the repository as it is written; empty for its root. */
  readonly path: string;
  /** Branch, tag or commit; empty for the default branch. */
  readonly ref: string;
  /** Whether the entry leaves submodules to be fetched, as it does unless it says otherwise. They never are here. */
  readonly submodules: boolean;
  /** Longest time that fetching may take, by the entry's word or kustomize's default. */
  readonly timeoutMs: number;
  /** Whether the entry begins with `git::`, which means nothing and is deprecated. */
  readonly forcedGit: boolean;
}

/** The files of one commit of a repository elsewhere. */
export interface RemoteTree {
  readonly tree: SourceTree;
}

/** Answers at once what remote entries hold, or throws what keeps them from being used. */
export interface RemoteContents {
  base(reference: RemoteReference): RemoteTree;
  file(url: string): Uint8Array;
}

/** The same away from the thread that renders; rejects with the reason of `signal` when that is aborted. */
export interface AsyncRemoteContents {
  base(reference: RemoteReference, signal: AbortSignal): Promise<RemoteTree>;
  file(url: string, signal: AbortSignal): Promise<Uint8Array>;
}

const DEFAULT_TIMEOUT_MS = 27_000;
const ADDRESS = /^(git::)?((?:ssh|https?|file):\/\/)?([a-z][a-z0-9-]*@)?(.*)$/is;

/**
 * Reads an entry as kustomize does; `undefined` for what it takes for a local path. Markers tell where the repository
 * ends: `_git/NAME`, else `//`, else `.git`, else the second segment of the path (for `file://`, its end).
 */
export function parseRemoteReference(entry: string): RemoteReference | undefined {
  if (entry.startsWith("/")) return undefined;
  const mark = entry.indexOf("?");
  const [address, query] = mark < 0 ? [entry, ""] : [entry.slice(0, mark), entry.slice(mark + 1)];
  const [, force, scheme = "", user = "", rest = ""] = ADDRESS.exec(address) ?? [];
  const place = locate(scheme.toLowerCase(), user, rest);
  const split = place && splitRepository(place.path, place.host.startsWith("file://"));
  if (place === undefined || split === undefined || split.repository === "" || leaves(split.path)) return undefined;
  return {
    entry,
    repository: place.host + split.repository,
    path: split.path.replace(/^\//, ""),
    ...parseQuery(query),
    forcedGit: force !== undefined,
  };
}

/** Whether an entry where a file is expected is to be got over http(s). */
export function isRemoteFile(entry: string): boolean {
  return /^https?:/i.test(entry);
}

/**
 * Whether an entry of `resources` over http(s) means a file rather than a repository.
 *
 * Differs from kustomize: that asks the server for a file first and takes the entry for a repository when the answer
 * is none. Here the entry alone decides, so that an allow-list can tell what would be fetched: a name ending in `.yaml`,
 * `.yml` or `.json` and no marker of a repository means a file, and so does what is no repository.
 */
export function meansFile(url: string): boolean {
  const reference = parseRemoteReference(url);
  if (reference === undefined) return true;
  const [address = "", query = ""] = url.split(/[?#]/, 2);
  const marked = /_git\/|\.git(?:\/|$)/.test(address) || address.replace(/^[a-z]+:\/\//i, "").includes("//");
  if (marked) return false;
  return /\.(?:ya?ml|json)$/i.test(address) && !/(?:^|&)(?:ref|version)=/.test(query);
}

interface Place {
  /** With scheme and user, up to and including the separator before the path. */
  readonly host: string;
  readonly path: string;
}

function locate(scheme: string, user: string, rest: string): Place | undefined {
  // Everything behind file:// is a path, also what looks like a user.
  if (scheme === "file://") return { host: scheme, path: user + rest };
  const isGithub = /^github\.com[/:]/i.test(rest);
  const mayBeScp = scheme === "" && (user !== "" || isGithub);
  if (scheme === "" && !mayBeScp) return undefined;
  let end = rest.indexOf("/");
  const colon = mayBeScp ? rest.indexOf(":") : -1;
  if (mayBeScp && (end < 0 || (colon > 0 && colon < end))) end = colon;
  const host = end < 0 ? rest : rest.slice(0, end + 1);
  const path = end < 0 ? "" : rest.slice(end + 1);
  if (host === "") return undefined;
  if (!isGithub) return { host: scheme + user + host, path };
  // As kustomize: of GitHub, only the way to sign in is left of how the entry spells it.
  return { host: scheme === "ssh://" || user !== "" ? `${user}github.com:` : "https://github.com/", path };
}

function splitRepository(path: string, whole: boolean): { repository: string; path: string } | undefined {
  const azure = path.indexOf("_git/");
  if (azure >= 0) {
    const end = path.indexOf("/", azure + 5);
    return end < 0 ? { repository: path, path: "" } : { repository: path.slice(0, end), path: path.slice(end + 1) };
  }
  const double = path.indexOf("//");
  if (double >= 0) return { repository: path.slice(0, double), path: path.slice(double + 2) };
  const git = path.indexOf(".git");
  if (git >= 0) return { repository: path.slice(0, git + 4), path: path.slice(git + 4) };
  if (whole) return { repository: path, path: "" };
  const segments = path.split("/");
  if (segments.length < 2) return undefined;
  return { repository: segments.slice(0, 2).join("/"), path: segments.slice(2).join("/") };
}

function leaves(path: string): boolean {
  const relative = path.replace(/^\//, "");
  return !relative.startsWith("/") && joinPath("", relative) === undefined;
}

function parseQuery(query: string): Pick<RemoteReference, "ref" | "submodules" | "timeoutMs"> {
  // As kustomize: one part that cannot be read makes it pass over all.
  const values = readQuery(query) ?? new Map<string, string>();
  const submodules = values.get("submodules") ?? "";
  return {
    ref: values.get("ref") || values.get("version") || "",
    submodules: !/^(?:0|f|F|FALSE|false|False)$/.test(submodules),
    timeoutMs: readTimeout(values.get("timeout") ?? ""),
  };
}

function readQuery(query: string): Map<string, string> | undefined {
  const values = new Map<string, string>();
  for (const part of query.split("&")) {
    if (part.includes(";")) return undefined;
    if (part === "") continue;
    const equals = part.indexOf("=");
    try {
      const [key, value] = [equals < 0 ? part : part.slice(0, equals), equals < 0 ? "" : part.slice(equals + 1)];
      const name = decodeURIComponent(key.replaceAll("+", " "));
      if (!values.has(name)) values.set(name, decodeURIComponent(value.replaceAll("+", " ")));
    } catch {
      return undefined;
    }
  }
  return values;
}

function readTimeout(text: string): number {
  if (/^\+?\d{1,15}$/.test(text)) return Number(text) > 0 ? Number(text) * 1000 : DEFAULT_TIMEOUT_MS;
  const ms = isDuration(text) ? parseDuration(text) : 0;
  return ms > 0 ? ms : DEFAULT_TIMEOUT_MS;
}

/** Names a file of a repository elsewhere, in messages and as an object's origin: `REPOSITORY//PATH?ref=REF`. */
export function remoteFileName(reference: RemoteReference, path: string): string {
  return `${reference.repository}//${path}${reference.ref === "" ? "" : `?ref=${reference.ref}`}`;
}
