// What a revision changes in the control plane itself, before anything is placed.
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { type FieldChange, fieldChanges, isBookkeeping } from "./changes.ts";
import { withoutSecretValues } from "./secret-overrides.ts";
import type { WrittenFields } from "./written-fields.ts";

/** One object as it is to be stored. */
export interface DesiredObject {
  /** As the server would store it, defaults and all. */
  readonly object: KubeObject;
  /** As the control plane has it (or as the base renders it); undefined for a new object. */
  readonly before: KubeObject | undefined;
  /** `apps/web.yaml:3`. */
  readonly origin: string;
  /** Who wrote its fields, beside its own file. */
  readonly written?: WrittenFields | undefined;
}

export interface SourceChange {
  readonly object: ObjectRef;
  readonly change: "created" | "changed" | "deleted";
  readonly origin: string | undefined;
  readonly fields: readonly FieldChange[];
}

/** The objects that differ, in the order they are written, deleted ones last. */
export function sourceChanges(
  desired: readonly DesiredObject[],
  removed: readonly { readonly object: ObjectRef; readonly origin: string | undefined }[],
): SourceChange[] {
  const changes = desired.flatMap(({ object, before, origin }): SourceChange[] => {
    const ref = refOf(object);
    if (before === undefined) return [{ object: ref, change: "created", origin, fields: [] }];
    const seen = new Map<string, string>();
    const fields = fieldChanges(shown(before, seen), shown(object, seen));
    return fields.length === 0 ? [] : [{ object: ref, change: "changed", origin, fields }];
  });
  const deleted = [...removed]
    .sort((a, b) => (refKey(a.object) < refKey(b.object) ? -1 : 1))
    .map(({ object, origin }): SourceChange => ({ object, change: "deleted", origin, fields: [] }));
  return [...changes, ...deleted];
}

function shown(object: KubeObject, seen: Map<string, string>): KubeObject {
  return withoutSecretValues(withoutServerFields(object), seen);
}

/** As it is shown to people: without what the server keeps, and without our own bookkeeping. */
export function shownManifest(object: KubeObject): KubeObject {
  const bare = withoutServerFields(object);
  const { labels, annotations, ...metadata } = bare.metadata;
  return {
    ...bare,
    metadata: { ...metadata, ...shownKeys("labels", labels), ...shownKeys("annotations", annotations) },
  };
}

function shownKeys<K extends string>(
  field: K,
  map: Readonly<Record<string, string>> | undefined,
): { readonly [key in K]?: Record<string, string> } {
  const shown = Object.entries(map ?? {}).filter(([key]) => !isBookkeeping(key));
  return shown.length === 0 ? {} : ({ [field]: Object.fromEntries(shown) } as { [key in K]: Record<string, string> });
}

/** Without status and what the server keeps in the metadata. */
function withoutServerFields(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  const { name, namespace, labels, annotations } = object.metadata;
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}
