// Which commit of a repository is wanted, and choosing it among the references that a repository has.

import { gitEmptyRepository, gitRefInvalid, gitRefNotFound } from "../errors.ts";
import { isOid, type RemoteRef } from "./remote-ref.ts";
import { compareVersions, parseRange, parseVersion } from "./semver.ts";
import { hasBlank } from "./url.ts";

/**
 * As Flux's `GitRepository.spec.ref`: of several fields the first counts, in the order commit, name, semver, tag,
 * branch. Differs from Flux: without any the repository's default branch is meant, not `master`.
 */
export interface GitReference {
  readonly branch?: string | undefined;
  readonly tag?: string | undefined;
  readonly semver?: string | undefined;
  /** A full name such as `refs/pull/1/head`. */
  readonly name?: string | undefined;
  /** All 40 hexadecimal digits. */
  readonly commit?: string | undefined;
}

export interface ChosenRef {
  /** What stands before `@sha1:` in a revision; empty for a bare commit. */
  readonly label: string;
  /** Full name of the reference; `undefined` for a bare commit. */
  readonly name: string | undefined;
  readonly commit: string;
}

type Wish =
  | { readonly kind: "default" }
  | { readonly kind: "branch" | "tag" | "name"; readonly name: string; readonly label: string }
  | { readonly kind: "semver"; readonly range: string }
  | { readonly kind: "commit"; readonly commit: string; readonly label: string };

function wishOf(reference: GitReference): Wish {
  if (isSet(reference.commit)) {
    const commit = reference.commit.toLowerCase();
    if (!isOid(commit))
      throw gitRefInvalid(`the commit ${quote(reference.commit)}`, "is not a full name of 40 hexadecimal digits");
    if (isSet(reference.branch)) checkRefName(`refs/heads/${reference.branch}`);
    return { kind: "commit", commit, label: reference.branch ?? "" };
  }
  if (isSet(reference.name)) {
    checkRefName(reference.name);
    return { kind: "name", name: reference.name, label: reference.name };
  }
  if (isSet(reference.semver)) {
    if (parseRange(reference.semver) === undefined)
      throw gitRefInvalid(`the version range ${quote(reference.semver)}`, "cannot be read");
    return { kind: "semver", range: reference.semver };
  }
  if (isSet(reference.tag)) {
    checkRefName(`refs/tags/${reference.tag}`);
    return { kind: "tag", name: `refs/tags/${reference.tag}`, label: reference.tag };
  }
  if (isSet(reference.branch)) {
    checkRefName(`refs/heads/${reference.branch}`);
    return { kind: "branch", name: `refs/heads/${reference.branch}`, label: reference.branch };
  }
  return { kind: "default" };
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

/** Prefixes of the references that have to be listed to choose; none when the commit is named. */
export function wantedPrefixes(reference: GitReference): readonly string[] {
  const wish = wishOf(reference);
  switch (wish.kind) {
    case "default":
      return ["HEAD"];
    case "semver":
      return ["refs/tags/"];
    case "commit":
      return [];
    default:
      return [wish.name];
  }
}

/**
 * Chooses among listed references. `listMore` lists further ones, for the message when the wanted one is not there.
 * Throws `git-ref-not-found`, `git-ref-invalid` and `git-empty-repository`.
 */
export async function chooseRef(
  url: string,
  reference: GitReference,
  refs: readonly RemoteRef[],
  listMore: (prefixes: readonly string[]) => Promise<readonly RemoteRef[]>,
): Promise<ChosenRef> {
  const wish = wishOf(reference);
  switch (wish.kind) {
    case "commit":
      return { label: wish.label, name: undefined, commit: wish.commit };
    case "default": {
      const head = refs.find((ref) => ref.name === "HEAD");
      if (head === undefined) throw await absent(url, "default branch", "refs/heads/", undefined, listMore);
      const target = head.target ?? "HEAD";
      return { label: shortName(target), name: target, commit: head.oid };
    }
    case "semver": {
      const best = newestTag(wish.range, refs);
      if (best === undefined)
        throw await absent(url, `tag in the range ${quote(wish.range)}`, "refs/tags/", undefined, listMore);
      return { label: shortName(best.name), name: best.name, commit: best.oid };
    }
    default: {
      const found = refs.find((ref) => ref.name === wish.name);
      if (found !== undefined) return { label: wish.label, name: found.name, commit: found.oid };
      const prefix = wish.kind === "tag" ? "refs/tags/" : wish.kind === "branch" ? "refs/heads/" : parentOf(wish.name);
      const wanted = `${wish.kind === "name" ? "reference" : wish.kind} ${quote(wish.label)}`;
      throw await absent(url, wanted, prefix, shortName(wish.name), listMore);
    }
  }
}

function newestTag(rangeText: string, refs: readonly RemoteRef[]): RemoteRef | undefined {
  const range = parseRange(rangeText);
  const tags = refs.flatMap((ref) => {
    const version = ref.name.startsWith("refs/tags/") ? parseVersion(ref.name.slice(10)) : undefined;
    return version !== undefined && range?.(version) === true ? [{ ref, version }] : [];
  });
  // Names decide between 1.0.0 and v1.0.0, so that the order of the server's list does not.
  tags.sort((a, b) => compareVersions(b.version, a.version) || (a.ref.name < b.ref.name ? -1 : 1));
  return tags[0]?.ref;
}

async function absent(
  url: string,
  wanted: string,
  prefix: string,
  name: string | undefined,
  listMore: (prefixes: readonly string[]) => Promise<readonly RemoteRef[]>,
): Promise<Error> {
  const listed = await listMore([prefix, "HEAD"]);
  if (listed.length === 0 && prefix === "refs/heads/") return gitEmptyRepository(url);
  const existing = listed.filter((ref) => ref.name.startsWith(prefix)).map((ref) => shortName(ref.name));
  const sort = prefix === "refs/heads/" ? "branches" : prefix === "refs/tags/" ? "tags" : "references";
  return gitRefNotFound(url, {
    wanted,
    existing,
    sort,
    nearest: name === undefined ? undefined : nearestName(name, existing),
  });
}

/** `refs/heads/main` is `main`; other names stay whole. */
export function shortName(name: string): string {
  return name.replace(/^refs\/(?:heads|tags)\//, "");
}

function parentOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** Git's own rules for names, so that none can become an option, a path outside `refs` or a line of the protocol. */
function checkRefName(name: string): void {
  const parts = name.split("/");
  const bad =
    name.length > 1024 ||
    !name.startsWith("refs/") ||
    parts.some((part) => part === "" || part.startsWith(".") || part.endsWith(".lock") || part.startsWith("-")) ||
    hasBlank(name) ||
    /[~^:?*[\\]|\.\.|@\{|\.$/.test(name);
  if (bad && name !== "HEAD") throw gitRefInvalid(`the reference ${quote(name)}`, "is no valid name");
}

/** The name that differs by the fewest letters, if they are few. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates.slice(0, 2000)) {
    if (Math.abs(candidate.length - name.length) >= bestDistance || candidate.length > 200) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letters to change, add, leave out or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (older[j - 2] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    older = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
