// What makes a remark the same one in the next run, though its line has moved.
import { createHash } from "node:crypto";
import type { Annotation } from "./annotations.ts";

/** One for each annotation, all different: of its rule, file and message, and how often these came before. */
export function fingerprints(annotations: readonly Annotation[]): string[] {
  const seen = new Map<string, number>();
  return annotations.map(({ rule, path, message }) => {
    const key = JSON.stringify([rule, path, message]);
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    return createHash("sha256").update(`${key}${times}`).digest("hex").slice(0, 32);
  });
}
