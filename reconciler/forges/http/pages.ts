// Lists that come in pages, in each provider's way of saying where the next one is.
import * as errors from "../errors.ts";
import type { Call } from "../forge.ts";
import type { ForgeAnswer, ForgeHttp, ForgeRequest } from "./forge-http.ts";
import type { JsonReader } from "./json-reader.ts";

/** The request for the page after this one; `undefined` after the last. */
export type NextPage = (answer: ForgeAnswer, request: ForgeRequest) => ForgeRequest | undefined;

/** Where an answer keeps its entries. */
export type EntriesOf = (answer: ForgeAnswer) => readonly JsonReader[];

/** Reads an entry; `undefined` leaves it out, so that it is not kept in memory. */
export type ReadEntry<T> = (entry: JsonReader) => T | undefined;

export interface PageRequest<T> {
  readonly next: NextPage;
  readonly entries: EntriesOf;
  readonly read: ReadEntry<T>;
  /** Whether what was read last is all that is needed. */
  readonly enough?: (entry: T) => boolean;
}

/**
 * The entries of all pages. Throws `forge-too-large` after the most pages that are read, and `forge-bad-answer` where
 * pages lead in a circle.
 */
export async function readPages<T>(
  http: ForgeHttp,
  request: ForgeRequest,
  form: PageRequest<T>,
  call: Call,
): Promise<readonly T[]> {
  const all: T[] = [];
  const seen = new Set<string>();
  let current: ForgeRequest | undefined = request;
  while (current !== undefined) {
    if (seen.size >= http.limits.maxPages) {
      const why = `there are more than ${http.limits.maxPages} pages, which are not read`;
      throw errors.forgeTooLarge(http.nameOf(request), why);
    }
    const answer: ForgeAnswer = await http.send(current, call);
    if (seen.has(answer.url.href)) throw answer.bad("its pages lead in a circle");
    seen.add(answer.url.href);
    for (const entry of form.entries(answer)) {
      const value = form.read(entry);
      if (value === undefined) continue;
      all.push(value);
      if (form.enough?.(value) === true) return all;
    }
    current = form.next(answer, current);
  }
  return all;
}

/** The answer itself is the list. */
export function wholeAnswer(answer: ForgeAnswer): readonly JsonReader[] {
  return answer.json.items();
}

/**
 * `Link: <URL>; rel="next"` (GitHub, Gitea), and `x-next-page` (GitLab, which leaves the link out where counting is
 * dear). A link to another host, as a server behind a proxy may give it, is followed in its query alone.
 */
export const nextByHeader: NextPage = (answer, request) => {
  const link = answer.headers.link;
  const target = typeof link === "string" ? nextLink(link, answer.url) : undefined;
  if (target !== undefined) {
    if (target.origin === answer.url.origin) return { ...request, path: target.href, query: {} };
    return { ...request, path: `${answer.url.origin}${answer.url.pathname}${target.search}`, query: {} };
  }
  const page = answer.headers["x-next-page"];
  if (typeof page === "string" && /^[0-9]+$/.test(page)) return { ...request, query: { ...request.query, page } };
  return undefined;
};

function nextLink(header: string, base: URL): URL | undefined {
  for (const match of header.slice(0, 16_384).matchAll(/<([^>]*)>([^,<]*)/g)) {
    if (/;\s*rel="?next"?/i.test(match[2] ?? "")) return URL.parse(match[1] ?? "", base) ?? undefined;
  }
  return undefined;
}
