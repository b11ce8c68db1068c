// What sections of a page are made of.
import type { LineWriter, Place, ReportedObject } from "../../../api/plan-report.ts";
import type { LeftOut, ReportLinks } from "../markdown/style.ts";
import { safeAddress } from "../markdown/text.ts";
import { objectName, shortCommit } from "../words.ts";
import { type Content, code, Html, html, join, prose } from "./html.ts";

/** What every section needs to write itself. */
export interface Page {
  readonly links: ReportLinks;
  readonly leftOut: LeftOut;
  /** Where on the page the changes of an object are: `#object-3`; undefined when they are not told. */
  readonly changesOf: (object: ReportedObject) => string | undefined;
}

/** A list longer than this is cut, and the page says so. */
export const MOST_ITEMS = 300;
const MOST_NAMES = 4;
const MOST_NAMES_FOLDED = 2000;

/** A link where the address is one of the web. */
export function link(label: Html, address: string | undefined): Html {
  const href = address === undefined ? undefined : safeAddress(address);
  return href === undefined ? label : html`<a href="${new Html(href)}" rel="noreferrer">${label}</a>`;
}

/** `Deployment shop/web`, with a link to its changes on this page. */
export function objectLink(object: ReportedObject, { changesOf }: Page): Html {
  const anchor = changesOf(object);
  const name = code(objectName(object));
  return anchor === undefined ? name : html`<a href="${anchor}">${name}</a>`;
}

/** `deploy/policies.yaml:14`, `deploy/policies.yaml:14 at 81d0e44`. */
export function placeLink(place: Place, { links }: Page): Html {
  const { file, line, commit } = place;
  const at = commit === undefined ? undefined : html` at ${code(shortCommit(commit))}`;
  return html`${link(code(line === undefined ? file : `${file}:${line}`), links.place?.(place))}${at}`;
}

/** Who wrote a line: `deploy/overrides.yaml:9`, override shop/registry, rule 1. */
export function writerText({ name, place }: LineWriter, page: Page): Html {
  if (place === undefined) return prose(name);
  // The name of a file says nothing beside the file.
  return name === place.file ? placeLink(place, page) : html`${prose(name)} (${placeLink(place, page)})`;
}

/** `a`, `b`, `c`; of many the first and the last, and all of them by a click. May not stand in a paragraph. */
export function names(all: readonly string[], most = MOST_NAMES): Html {
  const list = (some: readonly string[]) =>
    join(
      some.map((name) => code(name)),
      ", ",
    );
  if (all.length <= most) return list(all);
  const more = all.length - MOST_NAMES_FOLDED;
  const rest = more > 0 ? html` and ${more} more` : undefined;
  const short = html`${code(all[0] ?? "")} … ${code(all.at(-1) ?? "")} (${all.length})`;
  return html`<details class="names"><summary>${short}</summary>${list(all.slice(0, MOST_NAMES_FOLDED))}${rest}</details>`;
}

/** Something that a click opens. */
export function folded(summary: Content, body: Content): Html {
  return html`<details><summary>${summary}</summary>\n<div class="body">${body}</div></details>\n`;
}

/** Items of which those after the first `shown` are folded away, and those after `MOST_ITEMS` left out. */
export function list<T>(
  items: readonly T[],
  page: Page,
  { what, shown, write }: { readonly what: string; readonly shown: number; readonly write: (item: T) => Html },
): Html {
  const told = items.slice(0, MOST_ITEMS).map((item) => html`<li>${write(item)}</li>\n`);
  const left = items.length - told.length;
  page.leftOut.add(what, left, items.length);
  const tail = left === 0 ? undefined : html`<li>and ${left} more</li>\n`;
  const bullets = (some: readonly Content[]) => html`<ul>\n${some}</ul>\n`;
  // A click for one or two lines is not worth it.
  if (told.length <= shown + 2) return bullets([...told, tail]);
  return html`${bullets(told.slice(0, shown))}${folded(`${items.length - shown} more`, bullets([...told.slice(shown), tail]))}`;
}

export interface Column<T> {
  readonly title: string;
  readonly align?: "right";
  readonly write: (row: T) => Content;
  /** Whether it says nothing of this row: on a narrow screen it is not shown there. */
  readonly isIdle?: (row: T) => boolean;
}

/** A table whose first column names the rows; rows after the first `shown` are in one that is folded away. */
export function table<T>(
  rows: readonly T[],
  page: Page,
  {
    caption,
    what,
    shown,
    columns,
    mark,
  }: {
    /** For those who do not see what stands above it. */
    readonly caption: string;
    readonly what: string;
    readonly shown: number;
    readonly columns: readonly Column<T>[];
    /** A class of the row. */
    readonly mark?: (row: T) => string | undefined;
  },
): Html {
  const told = rows.slice(0, MOST_ITEMS);
  const left = rows.length - told.length;
  page.leftOut.add(what, left, rows.length);
  const one = (some: readonly T[]) => html`<table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ title, align }) => (title === "" ? html`<td></td>` : html`<th scope="col"${classOf(align)}>${title}</th>`))}</tr></thead>
<tbody>
${some.map((row) => html`<tr${classOf(mark?.(row))}>${columns.map((column, at) => cell(column, row, at))}</tr>\n`)}</tbody>
</table>
`;
  const tail = left === 0 ? undefined : html`<p>and ${left} more</p>\n`;
  if (told.length <= shown + 2) return html`${one(told)}${tail}`;
  return html`${one(told.slice(0, shown))}${folded(`${rows.length - shown} more`, [one(told.slice(shown)), tail])}`;
}

function cell<T>({ title, align, write, isIdle }: Column<T>, row: T, at: number): Html {
  const written = write(row);
  if (at === 0) return html`<th scope="row"${classOf(align)}>${written}</th>`;
  const isEmpty = written === undefined || written === "";
  const idle = isEmpty || isIdle?.(row) === true ? "idle" : undefined;
  const label = title === "" ? undefined : html` data-title="${title}"`;
  return html`<td${classOf(align, idle)}${label}>${written}</td>`;
}

/** Names of classes are ours. */
export function classOf(...classes: readonly (string | undefined)[]): Html {
  const given = classes.filter((one) => one !== undefined);
  return given.length === 0 ? html`` : html` class="${given.join(" ")}"`;
}
