// The line where a field of an object is written: by the entry of a kustomization that wrote it, or in the object's own file.
import type { Place } from "../../api/plan-report.ts";
import type { FieldLines } from "./diff/field-lines.ts";
import { placeOf, rendererWriter } from "./report-words.ts";
import { type WrittenFields, writerOf } from "./written-fields.ts";

/** That of the object where no more is known. */
export function writtenPlace(
  lines: FieldLines | undefined,
  { origin, written }: { readonly origin: string; readonly written?: WrittenFields | undefined },
  field: string,
): Place {
  const writer = written === undefined || field === "" ? undefined : writerOf(field, written);
  return writer === undefined
    ? linePlace(lines, placeOf(origin), field)
    : (rendererWriter(writer).place ?? placeOf(origin));
}

/** The place of an object in the files, with the line of one of its fields. */
export function linePlace(lines: FieldLines | undefined, place: Place, field: string): Place {
  const line = place.line === undefined ? undefined : lines?.lineOfPath(place.file, place.line, field);
  return line === undefined ? place : { ...place, line };
}
