// What a pull request about drift says. Pure.
import { cleanLine } from "../../reports/clean-text.ts";
import { listBlock } from "../../reports/markdown/blocks.ts";
import { DIALECTS, type DialectName } from "../../reports/markdown/dialects.ts";
import { SafeText } from "../../reports/markdown/text.ts";
import { clusterList, count, objectName, value } from "../../reports/words.ts";
import type { FileChange } from "./change-thread.ts";
import type { DriftedObject } from "./drifted-object.ts";

export interface ChangeWords {
  readonly action: "adopt" | "ignore";
  readonly drifted: readonly DriftedObject[];
  readonly change: FileChange;
  /** Who asked, and where. */
  readonly requestedBy: string;
  readonly pullRequest: number;
}

const MOST_ITEMS = 50;

/** Of the pull request, and first line of the commit. */
export function changeTitle({ action, change, drifted }: ChangeWords): string {
  const concerned = [...new Set(change.changed.map(({ index }) => index))];
  const [first] = concerned;
  const object = first === undefined ? undefined : drifted[first]?.object;
  const what = concerned.length === 1 && object !== undefined ? objectName(object) : count(concerned.length, "object");
  return cleanLine(action === "adopt" ? `Adopt drift of ${what}` : `Ignore drift of ${what}`);
}

export function commitMessage(words: ChangeWords): string {
  const { action, change, drifted, pullRequest, requestedBy } = words;
  const lines = change.changed
    .slice(0, MOST_ITEMS)
    .map(
      ({ index, path }) =>
        `- ${path} of ${nameOf(drifted, index)}${action === "adopt" ? foundIn(drifted, index, path) : ""}`,
    );
  const asked = `Asked for by ${requestedBy} in pull request ${pullRequest}.`;
  return `${[changeTitle(words), "", ...lines, "", asked].map((line) => cleanLine(line)).join("\n")}\n`;
}

/** Text of clusters and users stays text. */
export function changeBody(words: ChangeWords, dialect: DialectName): string {
  const { action, change, drifted, pullRequest, requestedBy } = words;
  const text = new SafeText(DIALECTS[dialect]);
  const items = change.changed.map(({ file, index, line, path }) => {
    const name = `${text.code(path)} of ${text.code(nameOf(drifted, index))}`;
    const place = text.code(line === undefined ? file : `${file}:${line}`);
    if (action === "ignore") return `${name}: clusters decide it, by a rule in ${place}`;
    const [found] = valuesOf(drifted, index, path);
    const values = `${text.code(value(found?.wanted))} → ${text.code(value(found?.found))}`;
    return `${name}: ${values} in ${place}, as in ${text.code(clusterList(clustersOf(drifted, index, path)))}${spread(drifted, index, path, text)}`;
  });
  const refused = change.refused.map(
    ({ index, path, reason }) => `${text.code(path)} of ${text.code(nameOf(drifted, index))}: ${text.prose(reason)}`,
  );
  const outcome =
    action === "adopt"
      ? "Clusters have this already. Once it is merged, Git says so, and it is no drift any more."
      : "Once this is merged, these fields are sent when an object is made, and neither compared nor sent back after that.";
  return [
    outcome,
    ...listed(items),
    ...(refused.length === 0 ? [] : ["Left as it is:", ...listed(refused)]),
    `Asked for by ${text.code(requestedBy)} in pull request ${pullRequest}.`,
  ].join("\n\n");
}

function listed(items: readonly string[]): string[] {
  const more = items.length - MOST_ITEMS;
  const shown = more > 0 ? [...items.slice(0, MOST_ITEMS), `and ${more} more`] : items;
  return shown.length === 0 ? [] : [listBlock(shown)];
}

function spread(drifted: readonly DriftedObject[], index: number, path: string, text: SafeText): string {
  const from = clustersOf(drifted, index, path);
  const others = (drifted[index]?.clusters ?? []).filter((cluster) => !from.includes(cluster));
  return others.length === 0 ? "" : `; ${text.code(clusterList(others))} will get it, too`;
}

function foundIn(drifted: readonly DriftedObject[], index: number, path: string): string {
  const [found] = valuesOf(drifted, index, path);
  return `: ${value(found?.wanted)} -> ${value(found?.found)}, as in ${clusterList(clustersOf(drifted, index, path))}`;
}

function valuesOf(drifted: readonly DriftedObject[], index: number, path: string) {
  return drifted[index]?.fields.find((field) => field.path === path)?.values ?? [];
}

function clustersOf(drifted: readonly DriftedObject[], index: number, path: string): string[] {
  return valuesOf(drifted, index, path).flatMap(({ clusters }) => clusters);
}

function nameOf(drifted: readonly DriftedObject[], index: number): string {
  const object = drifted[index]?.object;
  return object === undefined ? "" : objectName(object);
}
