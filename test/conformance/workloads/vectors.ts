// Recorded vectors in a folder.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Vector } from "./vector.ts";

/** The vectors in `FOLDER/workloads`, or in the folder itself, by id. */
export function readVectors(folder: string): Vector[] {
  const inside = join(folder, "workloads");
  const root = existsSync(inside) ? inside : folder;
  return (
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json"))
      .sort()
      // The recorder wrote them.
      .map((name) => JSON.parse(readFileSync(join(root, name), "utf8")) as Vector)
  );
}
