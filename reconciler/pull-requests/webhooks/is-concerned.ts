import type { GitRepository } from "../../../api/gitops.ts";
import { isSameRepository } from "../../../sources/git/same-repository.ts";
import { type AddressOptions, repositoryAddress } from "../../forges/repository-address.ts";
import type { WebhookEvent } from "../../forges/webhooks/webhook-event.ts";

/** The repository that an event is about: the one of the Reporter, whatever the delivery says of addresses. */
export interface ConcernedSource extends AddressOptions {
  /** By which it is fetched. */
  readonly url: string;
}

/**
 * Whether a GitRepository may have another revision after an event: it follows the same repository, by whichever address,
 * and what was pushed can be what it follows.
 */
export function isConcerned(event: WebhookEvent, { spec }: GitRepository, source: ConcernedSource): boolean {
  if (event.type !== "push" || spec.suspend === true || !isSame(spec.url, source)) return false;
  const { commit, name, semver, tag, branch } = spec.ref ?? {};
  const hasBranch = (wanted: string) => event.branches.some((pushed) => pushed.name === wanted);
  // In the order in which they win.
  if (commit !== undefined) return false;
  if (name !== undefined) {
    if (name.startsWith("refs/heads/")) return hasBranch(name.slice("refs/heads/".length));
    if (name.startsWith("refs/tags/")) return event.tags.includes(name.slice("refs/tags/".length));
    // Such as the head of a pull request, which providers tell of in other events too.
    return true;
  }
  if (semver !== undefined) return event.tags.length > 0;
  if (tag !== undefined) return event.tags.includes(tag);
  // Which branch is the default one is not told by all providers.
  return branch === undefined ? event.branches.length > 0 : hasBranch(branch);
}

function isSame(url: string, source: ConcernedSource): boolean {
  // Providers do not tell capital letters apart, and each has addresses of its own for https and ssh.
  if (isSameRepository(url.toLowerCase(), source.url.toLowerCase())) return true;
  const [ours, theirs] = [placeOf(source.url, source), placeOf(url, source)];
  return ours !== undefined && ours === theirs;
}

/** Host and path as the provider knows them; `undefined` for what is no repository of such a provider. */
function placeOf(url: string, { kind, baseUrl }: AddressOptions): string | undefined {
  // Where it is installed counts for its own host: elsewhere, the same path is another repository.
  const isThere = baseUrl !== undefined && hostOf(url) === URL.parse(baseUrl)?.hostname;
  try {
    const { webUrl, path } = repositoryAddress(url, { kind, baseUrl: isThere ? baseUrl : undefined });
    return `${new URL(webUrl).hostname}/${path.join("/")}`.toLowerCase();
  } catch {
    return undefined;
  }
}

function hostOf(url: string): string | undefined {
  return /^(?:[a-z+]+:\/\/)?(?:[^@/]*@)?([^/:]+)/i.exec(url)?.[1]?.toLowerCase();
}
