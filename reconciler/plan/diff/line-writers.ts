// Who wrote a field of a manifest: an override, the scheduler, an entry of a kustomization, or the object's own file.
import type { LineWriter } from "../../../api/plan-report.ts";
import { isObject } from "../../../kube/object.ts";
import { isAtOrBelow, readablePath } from "../field-path.ts";
import type { OverriddenField } from "../overridden-fields.ts";
import { overrideWriter, placeOf, rendererWriter } from "../report-words.ts";
import { type WrittenFields, writerOf } from "../written-fields.ts";
import type { WriterOf } from "./manifest-diff.ts";

/** What is known of one side of a change. */
export interface WrittenManifest {
  readonly manifest: unknown;
  /** What wrote the object's fields, beside its own file. */
  readonly written?: WrittenFields | undefined;
  /** `apps/web.yaml:3`. */
  readonly origin?: string | undefined;
  /** The line in its file of the field at a JSON pointer; `origin` stands for those that it does not know. */
  readonly lineOf?: ((pointer: string) => number | undefined) | undefined;
  /** The object as its files have it: what is not in it, nobody wrote. */
  readonly rendered?: unknown;
  /** In the order in which they were applied. */
  readonly overrides?: readonly OverriddenField[];
  /** Who set the number of replicas, where it is the cluster's own. */
  readonly scheduler?: LineWriter | undefined;
}

const REPLICAS: ReadonlySet<string> = new Set(["/spec/replicas", "/spec/parallelism"]);

export function lineWriters(side: WrittenManifest): WriterOf {
  const { manifest, written, origin, rendered, lineOf, overrides = [], scheduler } = side;
  const fileAt = (pointer: string): LineWriter | undefined => {
    if (origin === undefined) return undefined;
    const place = placeOf(origin);
    return { what: "file", name: place.file, place: { ...place, ...definedLine(lineOf?.(pointer)) } };
  };
  return (pointer) => {
    const path = readablePath(manifest, pointer);
    const override = overrides.findLast((field) => field.path === "" || isAtOrBelow(path, field.path));
    if (override !== undefined) return overrideWriter(override);
    if (scheduler !== undefined && REPLICAS.has(pointer)) return scheduler;
    const writer = written === undefined ? undefined : writerOf(path, written);
    if (writer !== undefined) return rendererWriter(writer);
    if (rendered === undefined || hasPointer(rendered, pointer)) return fileAt(pointer);
    // Nothing but overrides made what is around their fields.
    const inside = overrides.findLast((field) => isAtOrBelow(field.path, path));
    return inside === undefined ? undefined : overrideWriter(inside);
  };
}

function definedLine(line: number | undefined): { readonly line?: number } {
  return line === undefined ? {} : { line };
}

function hasPointer(object: unknown, pointer: string): boolean {
  let node = object;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(node)) node = node[Number(key)];
    else if (isObject(node) && Object.hasOwn(node, key)) node = node[key];
    else return false;
    if (node === undefined) return false;
  }
  return true;
}
