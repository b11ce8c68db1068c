// Where single fields are written, for what is said of them: a line of a file, not just the object that begins there.
import type { Place, ReportFinding } from "../../api/plan-report.ts";
import { refKey, refOf } from "../../kube/object.ts";
import { changeKey, type ObjectChange } from "./changes.ts";
import type { WrittenObject } from "./desired-objects.ts";
import { FieldLines } from "./diff/field-lines.ts";
import { isAtOrBelow } from "./field-path.ts";
import type { FolderChange } from "./folder-change.ts";
import type { OverriddenField } from "./overridden-fields.ts";
import { placeOf, placeOfOrigin } from "./report-words.ts";
import { linePlace, writtenPlace } from "./written-place.ts";

export class FieldPlaces {
  readonly #change: Pick<FolderChange, "rendered" | "trees">;
  readonly #changes: readonly ObjectChange[];
  readonly #lines: FieldLines | undefined;
  #written: ReadonlyMap<string, WrittenObject> | undefined;
  #copies: ReadonlyMap<string, readonly ObjectChange[]> | undefined;

  constructor(change: Pick<FolderChange, "rendered" | "trees">, changes: readonly ObjectChange[]) {
    this.#change = change;
    this.#changes = changes;
    this.#lines = change.trees === undefined ? undefined : new FieldLines(change.trees.head);
  }

  /** A finding about a field, where that is written; others as they are. */
  place(finding: ReportFinding): ReportFinding {
    const { object, field, place, clusters = [] } = finding;
    if (object === undefined || field === undefined || place === undefined) return finding;
    const key = refKey({ ...object, namespace: object.namespace });
    const exact = this.#byOverride(key, field, clusters) ?? this.#inFiles(key, field, place);
    return exact === undefined ? finding : { ...finding, place: exact };
  }

  /** What the copies of all these clusters have from an override is written there. */
  #byOverride(key: string, field: string, clusters: readonly string[]): Place | undefined {
    const [cluster] = clusters;
    if (cluster === undefined) return undefined;
    this.#copies ??= Map.groupBy(this.#changes, changeKey);
    const copies = this.#copies.get(key)?.filter((copy) => clusters.includes(copy.cluster)) ?? [];
    const found = copies.map(({ overrides }) =>
      overrides.findLast(({ path }) => path !== "" && isAtOrBelow(field, path)),
    );
    const [first] = found;
    if (first === undefined || copies.length < clusters.length) return undefined;
    const isOne = found.every((one) => one !== undefined && sourceOf(one) === sourceOf(first));
    const place = isOne ? placeOfOrigin(first.origin) : undefined;
    return place?.commit === undefined ? place && linePlace(this.#lines, place, first.field) : place;
  }

  #inFiles(key: string, field: string, place: Place): Place | undefined {
    this.#written ??= new Map(this.#change.rendered.map((one) => [refKey(refOf(one.object)), one]));
    const one = this.#written.get(key);
    if (one === undefined) return undefined;
    const own = placeOf(one.origin);
    // What has a place of its own is about something else.
    if (own.file !== place.file || own.line !== place.line) return undefined;
    return writtenPlace(this.#lines, one, field);
  }
}

function sourceOf({ policy, field }: OverriddenField): string {
  return `${policy.kind}/${policy.namespace ?? ""}/${policy.name} ${field}`;
}
