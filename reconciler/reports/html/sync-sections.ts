// How a change is rolled out, and what else there is to know: hooks, objects that stay, what is not known, notes.
import type { ObjectReport, PlanReport, ReportedHook } from "../../../api/plan-report.ts";
import { rolloutText } from "../plan-words.ts";
import { list, names, objectLink, type Page } from "./elements.ts";
import { type Html, html, join, prose } from "./html.ts";

const SHOWN = 10;
const MOST_OBJECTS = 3;

/** Objects that clusters get one wave after the other. */
export function rolloutSection(objects: readonly ObjectReport[], page: Page): Html | undefined {
  // The same order for many objects is said once.
  const groups = new Map<string, ObjectReport[]>();
  for (const object of objects) {
    if (object.rollout === undefined) continue;
    const words = rolloutText(object.rollout);
    const group = groups.get(words);
    if (group === undefined) groups.set(words, [object]);
    else group.push(object);
  }
  if (groups.size === 0) return undefined;
  return list([...groups], page, {
    what: "rollouts",
    shown: SHOWN,
    write: ([words, alike]) => {
      const links = alike.slice(0, MOST_OBJECTS).map(({ object }) => objectLink(object, page));
      const more = alike.length > MOST_OBJECTS ? ` and ${alike.length - MOST_OBJECTS} more` : "";
      return html`${join(links, ", ")}${more}: ${prose(words)}`;
    },
  });
}

/** A list of hooks for each occasion on which some run. */
export function hookSection({ hooks }: PlanReport, page: Page): Html | undefined {
  if (hooks === undefined) return undefined;
  const { runs, onFailure, onDeletion, idle } = hooks;
  const occasions = [
    [idle === undefined ? "They run with this change:" : html`They do not run this time: ${prose(idle)}.`, runs],
    ["They run should the change fail:", onFailure],
    ["They run when the Sync is deleted:", onDeletion],
  ] as const;
  const told = occasions.filter(([, some]) => some.length > 0);
  if (told.length === 0) return undefined;
  const write = (hook: ReportedHook) => hookText(hook, page);
  return html`${told.map(([title, some]) => html`<p>${title}</p>\n${list(some, page, { what: "hooks", shown: SHOWN, write })}`)}`;
}

function hookText({ object, phase, wave, clusters = [], problem }: ReportedHook, page: Page): Html {
  const where = clusters.length === 0 ? undefined : html` in ${names(clusters)}`;
  const why = problem === undefined ? undefined : html`, <strong>but</strong> ${prose(problem)}`;
  return html`${wave === 0 ? phase : `${phase} ${wave}`}: ${objectLink(object, page)}${where}${why}`;
}

/** Objects that are no longer in the source, and stay. */
export function keptSection({ kept = [] }: PlanReport, page: Page): Html | undefined {
  return reasons(kept, "kept objects", page);
}

/** Objects of which it cannot be said what happens. */
export function unknownSection({ deletionsUnknown, unknown }: PlanReport, page: Page): Html | undefined {
  const items = reasons(unknown, "objects of which it is not known", page);
  if (deletionsUnknown === undefined) return items;
  return html`<p>${prose(deletionsUnknown)}</p>\n${items}`;
}

export function noteSection({ notes = [] }: PlanReport, page: Page): Html | undefined {
  return notes.length === 0
    ? undefined
    : list(notes, page, { what: "notes", shown: SHOWN, write: (note) => prose(note) });
}

function reasons(of: PlanReport["unknown"], what: string, page: Page): Html | undefined {
  if (of.length === 0) return undefined;
  return list(of, page, {
    what,
    shown: SHOWN,
    write: ({ object, reason }) => html`${objectLink(object, page)}: ${prose(reason)}`,
  });
}
