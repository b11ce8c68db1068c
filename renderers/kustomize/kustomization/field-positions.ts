// Where the fields of a YAML file stand, found again once something is wrong with one of them.

import { parseYamlNodes } from "../../../kube/yaml.ts";
import type { YamlNode, YamlScalar } from "../../../kube/yaml-node.ts";
import { AppError } from "../../../runtime/errors.ts";
import { RenderError, type RenderErrorPlace } from "../../errors.ts";
import { firstDocument } from "./first-document.ts";

/** The steps to a field: keys of maps and indexes of lists. */
export type FieldPath = readonly (string | number)[];

/** As people write it: `patches[1].target.kind`, `commonLabels["example.org/team"]`. */
export function formatFieldPath(path: FieldPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[A-Za-z_$][\w$-]*$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

// What the reader of a kustomization appends to another field.
const FOLDED = new Map([
  ["resources", "bases"],
  ["images", "imageTags"],
  ["helmCharts", "helmChartInflationGenerator"],
]);

interface Found {
  readonly node: YamlNode;
  readonly offset: number;
  readonly path: FieldPath;
}

/** The fields of one file. Nothing is read before the first question, so that a good build pays nothing. */
export class FieldPositions {
  private readonly text: string;
  private root: YamlNode | null | undefined;

  constructor(text: string) {
    this.text = text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  /** The place of a field, or of what is nearest above it. A path that ends in an unknown key leads to that key. */
  find(path: FieldPath): Pick<RenderErrorPlace, "line" | "column" | "path"> {
    const found = this.walk(path);
    return found === undefined ? { path: formatFieldPath(path) } : this.placeOf(found, path);
  }

  /** The place of the first value under `above` that is `text`, else of the first that contains it, else of `above`. */
  findText(text: string, above: FieldPath): Pick<RenderErrorPlace, "line" | "column" | "path"> {
    const start = this.walk(above);
    if (start === undefined) return above.length === 0 ? {} : { path: formatFieldPath(above) };
    const scalars = text === "" ? [] : [...scalarsOf(start)];
    const best = scalars.find(({ node }) => node.text === text) ?? scalars.find(({ node }) => node.text.includes(text));
    if (best !== undefined) return this.placeOf(best, best.path);
    return above.length === 0 ? {} : this.placeOf(start, start.path);
  }

  private walk(path: FieldPath): Found | undefined {
    const root = this.document();
    if (root === null) return undefined;
    let found: Found = { node: root, offset: root.offset, path: [] };
    let steps = path;
    for (let depth = 0; depth < steps.length; depth++) {
      const step = steps[depth]!;
      const next = enter(found, step);
      if (next === undefined) {
        const folded = typeof step === "number" && depth === 1 ? this.folded(steps) : undefined;
        if (folded === undefined) return found;
        steps = folded;
        depth = -1;
        found = { node: root, offset: root.offset, path: [] };
        continue;
      }
      found = next;
    }
    return found;
  }

  // The elements after those of the field itself come from the field of the older name.
  private folded([field, index, ...rest]: FieldPath): FieldPath | undefined {
    const older = FOLDED.get(String(field));
    const root = this.document();
    if (older === undefined || root === null || typeof index !== "number") return undefined;
    const own = enter({ node: root, offset: 0, path: [] }, String(field))?.node;
    return [older, index - (own?.kind === "sequence" ? own.items.length : 0), ...rest];
  }

  private placeOf(found: Found, path: FieldPath): Pick<RenderErrorPlace, "line" | "column" | "path"> {
    // A field that is not there is named all the same.
    const full = found.path.length < path.length && found.path[0] === path[0] ? path : found.path;
    const name = formatFieldPath(full.length === 0 ? path : full);
    return { ...positionIn(this.text, found.offset), ...(name === "" ? {} : { path: name }) };
  }

  private document(): YamlNode | null {
    if (this.root === undefined) {
      try {
        this.root = parseYamlNodes(firstDocument(this.text), { duplicateKeys: "last-wins" })[0]?.node ?? null;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.root = null;
      }
    }
    return this.root;
  }
}

function enter(from: Found, step: string | number): Found | undefined {
  const { node } = from;
  if (node.kind === "sequence") {
    const item = typeof step === "number" ? node.items[step] : undefined;
    return item && { node: item, offset: item.offset, path: [...from.path, step] };
  }
  if (node.kind !== "map" || typeof step !== "string") return undefined;
  const entry =
    node.entries.findLast(({ key }) => key.text === step) ??
    node.entries.findLast(({ key }) => key.text.toLowerCase() === step.toLowerCase());
  return entry && { node: entry.value, offset: entry.key.offset, path: [...from.path, step] };
}

function* scalarsOf({ node, path }: Found): Generator<Found & { readonly node: YamlScalar }> {
  if (node.kind === "scalar") yield { node, offset: node.offset, path };
  else if (node.kind === "sequence") {
    for (const [index, item] of node.items.entries()) {
      yield* scalarsOf({ node: item, offset: item.offset, path: [...path, index] });
    }
  } else {
    for (const { key, value } of node.entries) {
      yield* scalarsOf({ node: value, offset: value.offset, path: [...path, key.text] });
    }
  }
}

/** Line and column of an offset, both from 1. */
export function positionIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

/**
 * Runs `act`, and gives an error about `file` the place of the field or text that it names, searched for under `above`
 * first; one that names nothing gets the place of `above`. Errors that know their line for good, and those about other
 * files, pass unchanged.
 */
export function withFieldPositions<T>(
  file: string,
  positions: () => FieldPositions,
  above: FieldPath,
  act: () => T,
): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof RenderError) || !isUnsettled(error.place, file)) throw error;
    const { field } = error.place;
    const place =
      typeof field === "string" ? positions().findText(field, above) : positions().find([...above, ...(field ?? [])]);
    throw error.at({ file, ...place, field: undefined });
  }
}

function isUnsettled({ file, line, field }: RenderErrorPlace, own: string): boolean {
  return (file === undefined || file === own) && (line === undefined || field !== undefined);
}
