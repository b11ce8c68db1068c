// Which entry of a kustomization wrote each field that changes.
import type { ObjectRef } from "../../kube/object.ts";
import type { ObjectHistory, RenderedObject, Writer } from "../../renderers/rendered.ts";
import { onceEach } from "../../runtime/once-each.ts";
import { changeKey, type FieldChange } from "./changes.ts";
import { isAtOrBelow, readablePath } from "./field-path.ts";
import type { OverriddenField } from "./overridden-fields.ts";

/** Who wrote each field of one object, by the path that people read: `spec.template.spec.containers[web].image`. */
export type WrittenFields = ReadonlyMap<string, Writer>;

/** What generators, patches and transformers wrote of a rendered object; what its own file says is left out. */
export function writtenFields({ object }: RenderedObject, { fields }: ObjectHistory): WrittenFields {
  const written = new Map<string, Writer>();
  for (const [pointer, writer] of fields ?? []) {
    if (writer.by !== "File") written.set(readablePath(object, pointer), writer);
  }
  return written;
}

const NONE: readonly OverriddenField[] = [];

/** The changes with who wrote their new values. A field that an override changes afterwards is the override's. */
export function withWriters<C extends { readonly object: ObjectRef; readonly fields: readonly FieldChange[] }>(
  changes: readonly C[],
  written: ReadonlyMap<string, WrittenFields>,
  overridesOf: (change: C) => readonly OverriddenField[] = () => NONE,
): C[] {
  // Copies that change alike share their fields.
  const fieldsOf = onceEach((own: WrittenFields) =>
    onceEach((overrides: readonly OverriddenField[]) => {
      const overridden = overrides.map(({ path }) => path);
      return onceEach((fields: readonly FieldChange[]) => fields.map((field) => withWriter(field, own, overridden)));
    }),
  );
  return changes.map((change) => {
    const own = written.get(changeKey(change));
    if (own === undefined || own.size === 0) return change;
    return { ...change, fields: fieldsOf(own)(overridesOf(change))(change.fields) };
  });
}

function withWriter(field: FieldChange, written: WrittenFields, overridden: readonly string[]): FieldChange {
  if (field.after === undefined || overridden.some((path) => isAtOrBelow(field.path, path))) return field;
  const writer = writerOf(field.path, written);
  return writer === undefined ? field : { ...field, writer };
}

/** A map or list was written by whoever wrote what is in it, when that is one. */
export function writerOf(path: string, written: WrittenFields): Writer | undefined {
  return written.get(path) ?? onlyWriterBelow(path, written);
}

function onlyWriterBelow(path: string, written: WrittenFields): Writer | undefined {
  const below = new Set([...written].filter(([other]) => isAtOrBelow(other, path)).map(([, writer]) => writer));
  const [first] = below;
  return below.size === 1 ? first : undefined;
}
