import type { Call } from "../forge.ts";
import type { ForgeAnswer, ForgeHttp, ForgeRequest } from "./forge-http.ts";
import { type EntriesOf, type NextPage, nextByHeader, type ReadEntry, readPages, wholeAnswer } from "./pages.ts";

type Method = ForgeRequest["method"];
/** What a request says beside method and path. */
export type RequestDetails = Omit<ForgeRequest, "method" | "path">;

export interface PageForm {
  /** How one asks for pages as long as they may be: `{ per_page: 100 }`. */
  readonly size: Readonly<Record<string, number>>;
  readonly next: NextPage;
  readonly entries: EntriesOf;
}

/** Pages that are whole lists, and whose header tells the next. */
export function headerPages(sizeName: string, size: number): PageForm {
  return { size: { [sizeName]: size }, next: nextByHeader, entries: wholeAnswer };
}

/** Requests about one repository: paths are below its own. */
export class RepositoryHttp {
  readonly http: ForgeHttp;
  readonly root: string;
  readonly #pages: PageForm;

  constructor(http: ForgeHttp, root: string, pages: PageForm) {
    this.http = http;
    this.root = root;
    this.#pages = pages;
  }

  send(method: Method, below: string, details: RequestDetails, call: Call): Promise<ForgeAnswer> {
    return this.http.send({ method, path: `${this.root}${below}`, ...details }, call);
  }

  /** The entries of all pages. */
  list<T>(below: string, details: RequestDetails, call: Call, read: ReadEntry<T>): Promise<readonly T[]> {
    const query = { ...details.query, ...this.#pages.size };
    const request = { method: "GET", path: `${this.root}${below}`, ...details, query } as const;
    return readPages(this.http, request, { ...this.#pages, read }, call);
  }

  close(): void {
    this.http.close();
  }
}
