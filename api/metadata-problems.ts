// Says in words what an API server would refuse of an object's metadata.
import { z } from "zod";
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName } from "../kube/names.ts";
import { objectMeta } from "./schema.ts";
import { type SchemaProblem, schemaProblems } from "./schema-problems.ts";

const withMetadata = z.strictObject({ metadata: objectMeta });

/** Rules that hold for every kind; a name is not asked for. */
export function metadataProblems(metadata: unknown): readonly SchemaProblem[] {
  const problems = schemaProblems(withMetadata, { metadata });
  if (problems.length > 0) return problems;
  // The schema has just been met, but for null, which says nothing.
  const { labels, annotations, namespace } = metadata as z.infer<typeof objectMeta>;
  return [
    ...Object.entries(labels ?? {}).flatMap(([key, value]) => [
      ...checkQualifiedName(key).map((words) => ({
        field: "metadata.labels",
        words: `${JSON.stringify(key)} ${words}`,
      })),
      ...checkLabelValue(value ?? "").map((words) => ({
        field: `metadata.labels[${key}]`,
        words: `${JSON.stringify(value)} ${words}`,
      })),
    ]),
    ...Object.keys(annotations ?? {}).flatMap((key) =>
      checkQualifiedName(key.toLowerCase()).map((words) => ({
        field: "metadata.annotations",
        words: `${JSON.stringify(key)} ${words}`,
      })),
    ),
    ...(namespace ? checkDnsLabel(namespace) : []).map((words) => ({
      field: "metadata.namespace",
      words: `${JSON.stringify(namespace)} ${words}`,
    })),
  ];
}

/** The name of an object of one of our kinds. */
export function nameProblems({ name, generateName }: z.infer<typeof objectMeta>): readonly SchemaProblem[] {
  if (!name) return generateName ? [] : [{ field: "metadata.name", words: "is required" }];
  return checkDnsSubdomain(name).map((words) => ({
    field: "metadata.name",
    words: `${JSON.stringify(name)} ${words}`,
  }));
}
