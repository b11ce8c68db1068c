// What changes in each object: folded away, one below the other.
import type { CopyGroup, FieldReport, ObjectReport, PlanReport } from "../../../api/plan-report.ts";
import { refKey } from "../../../kube/object.ts";
import { hasBody, inOrder } from "../markdown/changes-section.ts";
import { count, objectName } from "../words.ts";
import { diffBlock, fieldText } from "./diff.ts";
import { list, names, type Page, placeLink } from "./elements.ts";
import { code, type Html, html, prose } from "./html.ts";

/** Diffs take no more than about this many characters, so that a phone can open the page. */
const ROOM_FOR_DIFFS = 1_500_000;
/** So few are shown open. */
const MOST_OPEN = 3;
const SHOWN = 15;
const SHOWN_FIELDS = 20;
const SHOWN_GROUPS = 60;

const SIGNS = { created: "+", changed: "~", deleted: "−" } as const;
const VERBS = { created: "is created", changed: "changes", deleted: "is deleted" } as const;

export interface Changes {
  readonly section: Html | undefined;
  /** Where on the page the changes of an object are, by its key, for those that are told. */
  readonly anchors: ReadonlyMap<string, string>;
}

/** As many diffs as there is room for, and a line for each of the other objects. */
export function changesSection(report: PlanReport, page: Page): Changes {
  const objects = inOrder(report);
  if (objects.length === 0) return { section: undefined, anchors: new Map() };
  const bodied = objects.filter(hasBody);
  const blocks: Html[] = [];
  const plain = objects.filter((object) => !hasBody(object));
  let left = ROOM_FOR_DIFFS;
  const open = bodied.length <= MOST_OPEN;
  for (const [at, object] of bodied.entries()) {
    if (left < 0) break;
    const block = objectBlock(object, page, { open, anchor: `object-${at + 1}` });
    left -= block.source.length;
    blocks.push(block);
  }
  const cut = bodied.slice(blocks.length);
  page.leftOut.add("diffs", cut.length, bodied.length);
  const rest = [...cut, ...plain];
  const lines =
    rest.length === 0
      ? undefined
      : list(rest, page, { what: "objects that change", shown: SHOWN, write: (object) => summaryLine(object, page) });
  const anchors = bodied
    .slice(0, blocks.length)
    .map(({ object }, at) => [refKey(object), `#object-${at + 1}`] as const);
  return { section: html`${blocks}${lines}`, anchors: new Map(anchors) };
}

/** `Deployment shop/web` changes in 2 clusters (+2 −2) */
function summaryText({ object, change, copies, diff }: ObjectReport): Html {
  const clusters = new Set(copies.flatMap((group) => group.clusters));
  const where = clusters.size === 0 ? "" : ` in ${count(clusters.size, "cluster")}`;
  const diffs = copies.length === 0 ? [diff] : copies.map((group) => group.diff);
  const added = diffs.reduce((sum, one) => sum + (one?.added ?? 0), 0);
  const removed = diffs.reduce((sum, one) => sum + (one?.removed ?? 0), 0);
  const lines =
    added + removed === 0
      ? undefined
      : html` <small>(<i class="new">+${added}</i> <i class="old">−${removed}</i>)</small>`;
  const held = copies.some((group) => group.held !== undefined) ? ", held" : "";
  return html`<span class="sign ${change}" aria-hidden="true">${SIGNS[change]}</span> ${code(objectName(object))} ${VERBS[change]}${where}${held}${lines}`;
}

function summaryLine(report: ObjectReport, page: Page): Html {
  const { place } = report;
  return html`${summaryText(report)}${place === undefined ? undefined : html`: ${placeLink(place, page)}`}`;
}

function objectBlock(
  report: ObjectReport,
  page: Page,
  { open, anchor }: { readonly open: boolean; readonly anchor: string },
): Html {
  const { copies, diff, fields, place, notes = [] } = report;
  const own = copies.length > 0 ? undefined : diff !== undefined ? diffBlock(diff, page) : fieldList(fields, page);
  const groups = copies.slice(0, SHOWN_GROUPS);
  page.leftOut.add("groups of copies", copies.length - groups.length, copies.length);
  return html`<details id="${anchor}"${open ? " open" : ""}><summary>${summaryText(report)}</summary>
<div class="body">${place === undefined ? undefined : html`<p>Written in ${placeLink(place, page)}.</p>\n`}${own}${groups.map((group) => copyBlock(group, page, report.change))}${notes.map((note) => html`<p>${prose(note)}</p>\n`)}</div></details>
`;
}

function copyBlock(
  { clusters, change, diff, fields, held }: CopyGroup,
  page: Page,
  ofObject: ObjectReport["change"],
): Html {
  const verb =
    change === ofObject ? "In" : { created: "New in", changed: "Changed in", deleted: "Deleted from" }[change];
  const wait = held === undefined ? undefined : html`, <strong>held</strong>: ${prose(held)}`;
  const body = diff === undefined ? fieldList(fields, page) : diffBlock(diff, page);
  return html`<div class="where">${verb} ${names(clusters)}${wait}</div>\n${body}`;
}

function fieldList(fields: readonly FieldReport[], page: Page): Html | undefined {
  if (fields.length === 0) return undefined;
  return list(fields, page, { what: "fields", shown: SHOWN_FIELDS, write: (field) => fieldText(field, page) });
}
