// Which repositories and files elsewhere a kustomization may name. Decided before anything is asked of the network, on the
// very URL that would be asked.

import { remoteAddressInvalid, remotePatternInvalid } from "./errors.ts";
import type { GitCredentials } from "./git/credentials.ts";
import { hasBlank } from "./git/url.ts";

/** Repositories and files below one address, and the rules for them. */
export interface AllowedRemote {
  /** As it was given: `host`, `host/org`, `host/org/repo`, or with a scheme. */
  readonly pattern: string;
  readonly place: RemotePlace;
  /** Also branches, no ref at all, and files without a version. Default: what is named must stay what it is. */
  readonly unpinned: boolean;
  /** Sent to this host alone. */
  readonly credentials?: GitCredentials | undefined;
  /** Of those whose kustomizations may name it. Default: everybody's. */
  readonly namespaces?: readonly string[] | undefined;
}

/** Where something lies, as the request for it would say. */
export interface RemotePlace {
  readonly scheme: "https:" | "http:" | "file:";
  /** In lower case, with the port when it is not the usual one. Empty for files of this machine. */
  readonly host: string;
  readonly segments: readonly string[];
  /** What is fetched: without user, query and fragment. */
  readonly url: string;
}

/**
 * Reads a pattern. Without a scheme https is meant, also for repositories that are named by ssh; `http://` and `file://`
 * have to be allowed in so many words. Throws `remote-pattern-invalid`.
 */
export function parseAllowedRemote(
  pattern: string,
  rules: Partial<Pick<AllowedRemote, "unpinned" | "credentials" | "namespaces">> = {},
): AllowedRemote {
  const text = pattern.trim();
  if (text.includes("*")) throw remotePatternInvalid(text, "holds a *: it is the beginning of what is allowed already");
  if (/[@?#]/.test(text)) throw remotePatternInvalid(text, "has a user, query or fragment");
  try {
    const place = locateRemote(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
    return { ...rules, pattern: text, place, unpinned: rules.unpinned ?? false };
  } catch {
    throw remotePatternInvalid(text, "is none of host, host/org, host/org/repo and a URL of https, http or file");
  }
}

/**
 * What an address means: a URL of https, http or file, and as https what names a repository by ssh (`git@host:path`,
 * `ssh://host/path`), because fetching over ssh would run programs. Throws `remote-address-invalid`.
 */
export function locateRemote(address: string): RemotePlace {
  if (hasBlank(address) || address.includes("\\")) {
    throw remoteAddressInvalid(address, "holds white space, control characters or backslashes");
  }
  // A server might read these as other separators than we do.
  if (/%(?:2f|5c|2e|25|00)/i.test(address.replace(/[?#].*$/, ""))) {
    throw remoteAddressInvalid(address, "holds an escaped separator");
  }
  const url = parseUrl(address, overHttps(address));
  const { protocol } = url;
  if (protocol !== "https:" && protocol !== "http:" && protocol !== "file:") {
    throw remoteAddressInvalid(address, "is none of https://, http://, ssh://, git@host:path and file://");
  }
  if (url.password !== "")
    throw remoteAddressInvalid(address, "holds a password: credentials belong to the allow-list");
  if ((protocol === "file:") !== (url.host === "")) throw remoteAddressInvalid(address, "has no host");
  const segments = url.pathname.split("/").filter((segment) => segment !== "");
  const path = `/${segments.join("/")}`;
  return { scheme: protocol, host: url.host, segments, url: `${protocol}//${url.host}${path}` };
}

function overHttps(address: string): string {
  const ssh = /^ssh:\/\/(?:[^@/]*@)?([^/:@]+)(?::\d*)?(\/.*)$/i.exec(address);
  if (ssh !== null) return `https://${ssh[1]}${ssh[2]}`;
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)\/?(.+)$/.exec(address);
  return scp === null || /^(?:https?|file|ssh):/i.test(address) ? address : `https://${scp[1]}/${scp[2]}`;
}

function parseUrl(address: string, text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw remoteAddressInvalid(address, "is no URL");
  }
}

/** The longest pattern that the place lies at or below; `undefined` when there is none. */
export function findAllowed(place: RemotePlace, allowed: readonly AllowedRemote[]): AllowedRemote | undefined {
  let best: AllowedRemote | undefined;
  for (const candidate of allowed) {
    if (!covers(candidate.place, place)) continue;
    if (best === undefined || candidate.place.segments.length > best.place.segments.length) best = candidate;
  }
  return best;
}

function covers(pattern: RemotePlace, place: RemotePlace): boolean {
  if (pattern.scheme !== place.scheme || pattern.host !== place.host) return false;
  const last = pattern.segments.length - 1;
  return pattern.segments.every((segment, i) => {
    const given = place.segments[i];
    // A repository has the same name with and without .git.
    return given === segment || (i === last && given !== undefined && withoutGit(given) === withoutGit(segment));
  });
}

function withoutGit(segment: string): string {
  return segment.replace(/\.git$/, "");
}
