import { CompletionIndexes } from "./completion-indexes.ts";
import type { JobSpec } from "./job-object.ts";

/** Why an Indexed Job has succeeded by its success policy although not all indexes have; undefined while it has not. */
export function matchSuccessPolicy(
  policy: JobSpec["successPolicy"],
  completions: number,
  succeeded: CompletionIndexes,
): string | undefined {
  if (succeeded.size === 0) return undefined;
  const index = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount;
    const required = CompletionIndexes.parse(succeededIndexes, completions);
    if (required.size === 0) return false;
    const met = required.overlap(succeeded);
    return met === required.size || (succeededCount !== undefined && met >= succeededCount);
  });
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}
