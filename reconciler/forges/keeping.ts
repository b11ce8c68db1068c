import type { ForgeComment, KeepComment } from "./forge.ts";
import type { JsonReader } from "./http/json-reader.ts";
import type { ReadEntry } from "./http/pages.ts";

/** Reads comments, and leaves out at once those that are not to be kept. */
export function keeping(
  read: (json: JsonReader) => ForgeComment,
  keep: KeepComment = () => true,
): ReadEntry<ForgeComment> {
  return (json) => {
    const comment = read(json);
    return keep(comment) ? comment : undefined;
  };
}
