// Ends the names of generated objects in a hash of what they hold.

import type { ResourceMap } from "../resources/resource-map.ts";
import { contentHash } from "./hash.ts";

/** Appends its hash to the name of every object that wants one. */
export function addHashes(map: ResourceMap): void {
  for (const resource of map.resources) {
    if (!resource.needsHash) continue;
    map.edit(resource, (own) => {
      const hash = contentHash(own);
      own.rememberName();
      own.setName(`${own.name}-${hash}`);
    });
  }
}
