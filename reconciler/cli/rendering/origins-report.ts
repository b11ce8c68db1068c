// Who wrote rendered objects, as data and for people.
import type { ObjectHistory, RenderedObject, Writer } from "../../../renderers/rendered.ts";
import { table } from "../../reports/table.ts";

export interface ObjectReport {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  /** Where it is from, then what changed it, in order. */
  readonly writers: readonly Writer[];
  /** By JSON pointer, who wrote the value last. */
  readonly fields?: Readonly<Record<string, Writer>>;
}

/** One entry per object, in order. `describe` turns a path of the source into what the report says. */
export function reportOrigins(
  objects: readonly RenderedObject[],
  origins: readonly ObjectHistory[],
  describe: (path: string) => string,
): readonly ObjectReport[] {
  const described = (writer: Writer): Writer => ({
    ...writer,
    file: describe(writer.file),
    ...(writer.patch === undefined ? {} : { patch: describe(writer.patch) }),
  });
  return objects.map(({ object: { apiVersion, kind, metadata } }, i) => {
    const fields = origins[i]?.fields;
    return {
      apiVersion,
      kind,
      name: metadata.name ?? "",
      ...(metadata.namespace && { namespace: metadata.namespace }),
      writers: (origins[i]?.writers ?? []).map(described),
      ...(fields && { fields: Object.fromEntries([...fields].map(([path, writer]) => [path, described(writer)])) }),
    };
  });
}

/** Each object with its writers below it, and its fields with theirs: one line each, so that it can be searched. */
export function originsText(reports: readonly ObjectReport[]): string {
  return reports
    .map(({ apiVersion, kind, name, namespace, writers, fields }) => {
      const place = namespace === undefined ? name : `${namespace}/${name}`;
      const title = [apiVersion, kind, place].filter((part) => part !== undefined).join(" ");
      const rows = Object.entries(fields ?? {}).map(([path, writer]) => [`  ${path}`, inWords(writer)]);
      const lines = [title, ...writers.map((writer) => `  ${inWords(writer)}`)];
      return `${lines.concat(rows.length === 0 ? [] : [table(rows)]).join("\n")}\n`;
    })
    .join("\n");
}

/** `base/web.yaml:1`, `overlay/kustomization.yaml patches[0] (PatchTransformer)`. */
function inWords({ by, file, line, field, patch }: Writer): string {
  const place = line === undefined ? file : `${file}:${line}`;
  if (by === "File") return place;
  return `${[place, field, patch].filter((part) => part !== undefined).join(" ")} (${by})`;
}
