// Lists that come in pages, in each provider's way of saying where the next one is.
import * as errors from "../errors.ts";
import type { Call } from "../forge.ts";
import type { ForgeAnswer, ForgeHttp, ForgeRequest } from "./forge-http.ts";
import type { JsonReader } from "./json-reader.ts";

/** The request for the page after this one; `undefined` after the last. */
export type NextPage = (answer: ForgeAnswer, request: ForgeRequest) => ForgeRequest | undefined;

/** Where an answer keeps its entries. */
export type EntriesOf = (answer: ForgeAnswer) => readonly JsonReader[];

/**
 * All entries of all pages, or only until `enough` says of one that it is the last that is needed. Throws
 * `forge-too-large` after the most pages that are read, and `forge-bad-answer` where pages lead in a circle.
 */
export async function readPages(
  http: ForgeHttp,
  request: ForgeRequest,
  form: { readonly next: NextPage; readonly entries: EntriesOf },
  call: Call,
  enough: (entry: JsonReader) => boolean = () => false,
): Promise<JsonReader[]> {
  const all: JsonReader[] = [];
  const seen = new Set<string>();
  let current: ForgeRequest | undefined = request;
  while (current !== undefined) {
    if (seen.size >= http.limits.maxPages) {
      throw errors.forgeTooLarge(
        http.nameOf(request),
        `there are more than ${http.limits.maxPages} pages, which are not read`,
      );
    }
    const answer: ForgeAnswer = await http.send(current, call);
    if (seen.has(answer.url.href)) throw answer.bad("its pages lead in a circle");
    seen.add(answer.url.href);
    for (const entry of form.entries(answer)) {
      all.push(entry);
      if (enough(entry)) return all;
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
