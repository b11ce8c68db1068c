// A Pod spec in the form that a program gets which decodes Pods into their type and encodes them again: it compares
// equal to what the API server of a member stores, however the author wrote it.

import { isObject } from "../../kube/object.ts";
import { canonicalQuantity } from "../../kube/quantity.ts";
import { type Fields, fieldsAt, objectsAt, optionalFieldsAt } from "./field-access.ts";

const CONTAINER_LISTS: readonly string[] = ["initContainers", "containers", "ephemeralContainers"];

/** The Pod spec with every container's resources present and every quantity in its canonical form. */
export function encodePodSpec(podSpec: Fields): Fields {
  const encoded: Record<string, unknown> = { ...podSpec };
  for (const list of CONTAINER_LISTS) {
    if (podSpec[list] !== undefined && podSpec[list] !== null) {
      encoded[list] = objectsAt(podSpec, list).map((container) => ({
        ...container,
        resources: encodeResources(fieldsAt(container, "resources")),
      }));
    }
  }
  const resources = optionalFieldsAt(podSpec, "resources");
  if (resources !== undefined) encoded["resources"] = encodeResources(resources);
  if (podSpec["overhead"] !== undefined) encoded["overhead"] = encodeQuantities(fieldsAt(podSpec, "overhead"));
  if (podSpec["volumes"] !== undefined) encoded["volumes"] = objectsAt(podSpec, "volumes").map(encodeVolume);
  return withoutEmpties(encoded) as Fields;
}

/** Lists that the types have to have. */
const REQUIRED_LISTS: ReadonlySet<string> = new Set(["containers", "nodeSelectorTerms", "sources", "monitors"]);
const MAPS: ReadonlySet<string> = new Set(["nodeSelector", "matchLabels", "overhead", "options", "volumeAttributes"]);

/** The types leave out lists and maps with nothing in them. */
function withoutEmpties(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpties);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key, inner]) =>
    Array.isArray(inner)
      ? inner.length > 0 || REQUIRED_LISTS.has(key)
      : !(MAPS.has(key) && isObject(inner) && Object.keys(inner).length === 0),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutEmpties(inner)]));
}

function encodeResources(resources: Fields): Fields {
  const encoded: Record<string, unknown> = { ...resources };
  for (const list of ["limits", "requests"]) {
    const quantities = optionalFieldsAt(resources, list);
    if (quantities === undefined || Object.keys(quantities).length === 0) delete encoded[list];
    else encoded[list] = encodeQuantities(quantities);
  }
  return encoded;
}

function encodeVolume(volume: Fields): Fields {
  const emptyDir = optionalFieldsAt(volume, "emptyDir");
  if (emptyDir?.["sizeLimit"] === undefined) return volume;
  return { ...volume, emptyDir: { ...emptyDir, ...encodeQuantities({ sizeLimit: emptyDir["sizeLimit"] }) } };
}

function encodeQuantities(list: Fields): Fields {
  return Object.fromEntries(Object.entries(list).map(([name, value]) => [name, canonicalQuantity(String(value))]));
}
