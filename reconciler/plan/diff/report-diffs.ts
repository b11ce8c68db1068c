// The diffs of a report: one for each group of copies that change alike, and one for an object that has no copies.
import type { LineWriter, ManifestDiff } from "../../../api/plan-report.ts";
import { type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import type { ObjectChange } from "../changes.ts";
import type { Comparison, DecidedWorld } from "../compare-worlds.ts";
import { type Copy, copyIn } from "../copy.ts";
import type { WrittenObject } from "../desired-objects.ts";
import type { FolderChange } from "../folder-change.ts";
import { overriddenFields } from "../overridden-fields.ts";
import { placeOf } from "../report-words.ts";
import type { DesiredObject, SourceChange } from "../source-changes.ts";
import { shownManifest } from "../source-changes.ts";
import { FieldLines } from "./field-lines.ts";
import { lineWriters, type WrittenManifest } from "./line-writers.ts";
import { diffManifests } from "./manifest-diff.ts";
import type { Mask } from "./mask.ts";

/** Lines of diffs in one report. A change to everything is read by its figures, not line by line. */
const MOST_LINES = 20_000;
const MOST_WRITERS = 8;

/** Makes each diff when it is asked for; those asked for once there is no room are counted and left out. */
export class ReportDiffs {
  readonly #compared: Comparison;
  readonly #mask: Mask;
  readonly #desired: ReadonlyMap<string, DesiredObject>;
  readonly #base: ReadonlyMap<string, DesiredObject>;
  readonly #rendered: ReadonlyMap<string, WrittenObject>;
  readonly #lines: { readonly before: FieldLines | undefined; readonly after: FieldLines | undefined };
  #room = MOST_LINES;
  #made = 0;
  #leftOut = 0;

  constructor(compared: Comparison, change: FolderChange, mask: Mask) {
    const byKey = <T extends { readonly object: KubeObject }>(some: readonly T[]): ReadonlyMap<string, T> =>
      new Map(some.map((one) => [refKey(refOf(one.object)), one]));
    this.#compared = compared;
    this.#mask = mask;
    this.#desired = byKey(change.desired);
    this.#base = byKey(change.base ?? []);
    this.#rendered = byKey(change.rendered);
    const { head, base } = change.trees ?? {};
    this.#lines = { before: base && new FieldLines(base), after: head && new FieldLines(head) };
  }

  /** Diffs that there was no room for; undefined when all are there. */
  get cut(): { readonly what: string; readonly left: number; readonly of: number } | undefined {
    return this.#leftOut === 0 ? undefined : { what: "diffs", left: this.#leftOut, of: this.#made + this.#leftOut };
  }

  /**
   * Of copies that change alike: of the first of them. Replicas that are not the same in all of them are left out: the
   * placement says them.
   */
  ofCopies(group: readonly ObjectChange[]): ManifestDiff | undefined {
    const [first] = group;
    if (first === undefined || first.change === "deleted") return undefined;
    const { before, after } = this.#compared;
    const key = refKey(first.object);
    const [was, fresh] = [before, after].map(({ outcomes }) => copyIn(outcomes.get(key)?.copies, first.cluster));
    const old = first.change === "created" ? undefined : was;
    if (fresh === undefined) return undefined;
    const isSame = group.every(
      ({ replicasBefore, replicasAfter }) =>
        replicasBefore === first.replicasBefore && replicasAfter === first.replicasAfter,
    );
    return this.#diff(
      old && {
        ...this.#written(key, "before"),
        manifest: isSame ? old.manifest : withoutReplicas(old),
        overrides: overriddenFields(old, this.#compared.policyOrigin),
        scheduler: this.#scheduler(before, key, old),
      },
      {
        ...this.#written(key, "after"),
        manifest: isSame ? fresh.manifest : withoutReplicas(fresh),
        overrides: first.overrides,
        scheduler: this.#scheduler(after, key, fresh),
      },
    );
  }

  /** Of the object in the control plane; none of what is deleted. */
  ofObject({ object, change }: SourceChange): ManifestDiff | undefined {
    const key = refKey(object);
    const desired = this.#desired.get(key);
    if (change === "deleted" || desired === undefined) return undefined;
    return this.#diff(desired.before && { ...this.#written(key, "before"), manifest: desired.before }, {
      ...this.#written(key, "after"),
      manifest: desired.object,
    });
  }

  #diff(old: WrittenManifest | undefined, fresh: WrittenManifest): ManifestDiff | undefined {
    if (this.#room <= 0) {
      this.#leftOut += 1;
      return undefined;
    }
    const shown = (side: WrittenManifest | undefined): KubeObject | undefined =>
      side && shownManifest(side.manifest as KubeObject);
    const [before, after] = [shown(old), shown(fresh)];
    const make = (of: (side: WrittenManifest) => WrittenManifest): ManifestDiff =>
      diffManifests(before, after, {
        mask: this.#mask,
        before: old && lineWriters({ ...of(old), manifest: before }),
        after: lineWriters({ ...of(fresh), manifest: after }),
      });
    const coarse = (side: WrittenManifest): WrittenManifest => ({ ...side, lineOf: undefined });
    let diff = make(old === undefined ? coarse : (side) => side);
    // Where much changes, nobody wants the line of each.
    if (diff.writers.length > MOST_WRITERS) diff = make(coarse);
    if (diff.hunks.length === 0) return undefined;
    this.#made += 1;
    this.#room -= diff.hunks.reduce((sum, { lines }) => sum + lines.length, 0);
    return diff;
  }

  #written(key: string, side: "before" | "after"): Pick<WrittenManifest, "written" | "origin" | "rendered" | "lineOf"> {
    const object = (side === "before" ? this.#base : this.#desired).get(key);
    if (object === undefined) return {};
    const rendered = side === "after" ? this.#rendered.get(key)?.object : undefined;
    const { file, line } = placeOf(object.origin);
    const lines = this.#lines[side];
    const lineOf = lines === undefined || line === undefined ? undefined : (at: string) => lines.lineOf(file, line, at);
    return { written: object.written, origin: object.origin, rendered, lineOf };
  }

  #scheduler({ outcomes }: DecidedWorld, key: string, { replicas }: Copy): LineWriter | undefined {
    const policy = outcomes.get(key)?.policy;
    if (replicas === undefined || policy === undefined) return undefined;
    const { namespace, name } = policy.metadata;
    return {
      what: "scheduler",
      name: `scheduler, by policy ${namespace === undefined ? "" : `${namespace}/`}${name}`,
    };
  }
}

function withoutReplicas({ manifest, replicas }: Copy): KubeObject {
  const { spec } = manifest;
  if (replicas === undefined || typeof spec !== "object" || spec === null) return manifest;
  const { replicas: _replicas, parallelism: _parallelism, ...rest } = spec as Readonly<Record<string, unknown>>;
  return { ...manifest, spec: rest };
}
