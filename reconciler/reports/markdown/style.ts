// What every part of a report needs to write itself.
import type { LineWriter, Place, ReportedObject } from "../../../api/plan-report.ts";
import { hashDigits, objectName, shortCommit } from "../words.ts";
import type { Detail } from "./budget.ts";
import type { Dialect } from "./dialects.ts";
import type { SafeText, TextPlace } from "./text.ts";

/** Where things can be looked at, where that is known. Addresses that are not of the web are left out. */
export interface ReportLinks {
  readonly place?: (place: Place) => string | undefined;
  readonly commit?: (commit: string) => string | undefined;
  /** The whole report: the page of the server, or the files of the job. */
  readonly report?: string | undefined;
}

export interface Style {
  readonly dialect: Dialect;
  readonly text: SafeText;
  readonly detail: Detail;
  readonly links: ReportLinks;
  readonly leftOut: LeftOut;
  /** Ages and durations are not said: they would be others the next time. */
  readonly undated?: boolean;
}

/** What was left out for length, so that the report can say so. */
export class LeftOut {
  readonly #entries = new Map<string, { left: number; of: number } | undefined>();

  /** `left` of `of` things; the same thing again adds up. */
  add(what: string, left: number, of: number): void {
    if (left <= 0) return;
    const earlier = this.#entries.get(what) ?? { left: 0, of: 0 };
    this.#entries.set(what, { left: earlier.left + left, of: earlier.of + of });
  }

  /** Something that nobody wants counted. */
  note(what: string): void {
    this.#entries.set(what, undefined);
  }

  /** `988 of 1000 diffs`, in order of being left out. */
  parts(): string[] {
    return [...this.#entries].map(([what, number]) => {
      if (number === undefined) return what;
      return number.of <= number.left ? `all ${number.left} ${what}` : `${number.left} of ${number.of} ${what}`;
    });
  }
}

/** As many items as the detail allows, and a last one that says how many more there are. */
export function firstItems<T>(
  items: readonly T[],
  { detail, leftOut }: Style,
  what: string,
  write: (item: T) => string,
): string[] {
  const shown = items.slice(0, detail.most).map(write);
  const left = items.length - shown.length;
  leftOut.add(what, left, items.length);
  return left === 0 ? shown : [...shown, `and ${left} more`];
}

/** `Deployment shop/web` as code. */
export function objectCode(object: ReportedObject, { text }: Style, place: TextPlace = "line"): string {
  return text.code(objectName(object), place);
}

/** `deploy/policies.yaml:14` as code, and a link where there is one. */
export function placeCode(place: Place, { text, links }: Style, where: TextPlace = "line"): string {
  const { file, line, commit } = place;
  const code = text.code(line === undefined ? file : `${file}:${line}`, where);
  const of = commit === undefined ? "" : ` at ${text.code(shortCommit(commit), where)}`;
  return `${text.link(code, links.place?.(place), where)}${of}`;
}

/** Who wrote a line: `deploy/overrides.yaml:9`, override shop/registry, rule 1. */
export function writerCode({ name, place }: LineWriter, style: Style): string {
  const said = style.text.prose(name);
  if (place === undefined) return said;
  // The name of a file says nothing beside the file.
  return name === place.file ? placeCode(place, style) : `${said} (${placeCode(place, style)})`;
}

/** `9c1f7e02b4d8`, of a hash of any length. */
export function shortHash(hash: string): string {
  return hashDigits(hash).slice(0, 12);
}

/** `2026-11-29 09:30 UTC`; what is no time as it is. */
export function timeText(time: string, { text }: Style): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? text.code(time) : `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
