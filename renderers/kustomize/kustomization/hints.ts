// What an author may have meant: the objects and files nearest to what was asked for.

import { nearest } from "../../../api/nearest.ts";
import type { ResourceId } from "../resources/identity.ts";
import type { Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";

const MOST = 5;

/** An object with the place it comes from. */
export function describeWithOrigin(resource: Resource): string {
  const { file, line } = resource.origin;
  return `${resource.describe()} (${file}${line === undefined ? "" : `:${line}`})`;
}

/** The end of a message about an object that is not there: the object that was probably meant, or those of its kind. */
export function hintOfName(wanted: Pick<ResourceId, "kind" | "name">, map: ResourceMap): string {
  const ofKind = map.resources.filter(({ kind }) => kind === wanted.kind);
  const namesakes = map.resources.filter(({ name, kind }) => name === wanted.name && kind !== wanted.kind);
  const sameName = ofKind.filter(({ name }) => name === wanted.name);
  const meant = nearest(
    wanted.name,
    ofKind.map(({ name }) => name),
  );
  const found =
    sameName.length > 0
      ? sameName
      : meant === undefined
        ? namesakes.length > 0
          ? namesakes
          : ofKind
        : ofKind.filter(({ name }) => name === meant);
  if (found.length === 0) return "";
  const shown = found.slice(0, MOST).map(describeWithOrigin).join(", ");
  return `; there ${found.length === 1 ? "is" : "are"} ${shown}${found.length > MOST ? " and others" : ""}`;
}
