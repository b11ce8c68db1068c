// JSON pointers as people read field paths.
import { isObject } from "../../kube/object.ts";

/** `/spec/containers/0/image` in an object whose first container is called web: `spec.containers[web].image`. */
export function readablePath(object: unknown, pointer: string): string {
  let node: unknown = object;
  let path = "";
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(node)) {
      const item: unknown = node[Number(key)];
      const name = isObject(item) && typeof item["name"] === "string" ? item["name"] : key;
      path += `[${name}]`;
      node = item;
    } else {
      path = joinPath(path, key);
      node = isObject(node) ? node[key] : undefined;
    }
  }
  return path;
}

/** Adds a key to a path; keys that would not read as one word are quoted. */
export function joinPath(path: string, key: string): string {
  if (/[.[\]/]/.test(key)) return `${path}["${key}"]`;
  return path === "" ? key : `${path}.${key}`;
}

/** A path of field ownership as people read it: `spec.containers[web].ports[80,TCP].name`. */
export function ownedPath(elements: readonly string[]): string {
  let path = "";
  for (const element of elements) {
    const content = element.slice(2);
    path = element.startsWith("f:")
      ? joinPath(path, content)
      : `${path}[${element.startsWith("k:") ? keysText(content) : content}]`;
  }
  return path;
}

/** The values of a list item's keys. */
function keysText(json: string): string {
  const keys: unknown = JSON.parse(json);
  return isObject(keys) ? Object.values(keys).map(String).join(",") : json;
}

/** Whether one path is another, or of something in it. */
export function isAtOrBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}.`) || path.startsWith(`${above}[`);
}
