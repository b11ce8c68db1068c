// What was rendered, as one value: an operation belongs to it.
import { createHash } from "node:crypto";
import type { KubeObject } from "../../../kube/object.ts";
import { Turn } from "../../../runtime/turn.ts";

/** Of objects as they are to be applied, in the order of the source. */
export async function digestOf(objects: readonly KubeObject[]): Promise<string> {
  const hash = createHash("sha256");
  const turn = new Turn();
  for (const object of objects) {
    if (turn.isOver) await turn.next();
    hash.update(JSON.stringify(object)).update("\n");
  }
  return hash.digest("hex");
}
