// How each object of a finished build came to be, for people: entries with the lines on which they stand.

import type { ObjectHistory, Writer } from "../rendered.ts";
import { FieldPositions } from "./kustomization/field-positions.ts";
import { fieldsByPointer } from "./resources/field-writers.ts";
import type { Resource } from "./resources/resource.ts";

/** Kustomization files that were read, to find lines in. */
export class WriterLines {
  private readonly files = new Map<string, FieldPositions>();
  private readonly known = new Map<Writer, Writer>();

  add(file: string, text: string): void {
    if (!this.files.has(file)) this.files.set(file, new FieldPositions(text));
  }

  /** The writer with the line of its entry, where that is known. */
  locate(writer: Writer): Writer {
    let located = this.known.get(writer);
    if (located === undefined) {
      const { file, field, line } = writer;
      const found = field !== undefined && line === undefined ? this.files.get(file)?.find(stepsOf(field)).line : line;
      located = found === undefined ? writer : { ...writer, line: found };
      this.known.set(writer, located);
    }
    return located;
  }
}

/** `patches[0]` as steps. */
function stepsOf(field: string): (string | number)[] {
  const [name = "", index] = field.split(/[[\]]/);
  return index === undefined ? [name] : [name, Number(index)];
}

/** The steps that wrote an object. */
export function historyOf({ writers }: Resource): ObjectHistory {
  return { writers };
}

/** The steps that wrote an object, and for each field the last of them. */
export function fieldHistoryOf({ writers, node, fieldWriters, origin }: Resource, lines: WriterLines): ObjectHistory {
  const source = writers[0] ?? { by: "File", ...origin };
  const fields = fieldsByPointer(node, fieldWriters, source);
  return {
    writers: writers.map((writer) => lines.locate(writer)),
    fields: new Map([...fields].map(([pointer, writer]) => [pointer, lines.locate(writer)])),
  };
}
