import type { ImageOverrider } from "../../api/policy.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { containersOf, hasKnownContainers } from "./containers.ts";
import type { Draft } from "./draft.ts";
import { overrideImpossible } from "./errors.ts";
import { formatImage, type ImageReference, parseImage, withTagOrDigest } from "./image-reference.ts";
import { checkWorkloadTypes } from "./typed-workload.ts";

/** Changes one part of the image at the predicate's path, or of every container when there is no predicate. */
export function overrideImage(draft: Draft, overrider: ImageOverrider): void {
  if (overrider.predicate !== undefined) {
    overrideImageAt(draft, overrider, overrider.predicate.path);
    return;
  }
  if (!hasKnownContainers(draft.object)) return;
  checkWorkloadTypes(draft.object);
  for (const { path, fields } of containersOf(draft.object, "absent")) {
    const pointer = `/${path.join("/")}/image`;
    const image = fields["image"] ?? "";
    if (typeof image !== "string") throw overrideImpossible(pointer, "the image is not a text");
    draft.set([...path, "image"], changedImage(image, overrider, pointer, draft.object));
  }
}

function overrideImageAt(draft: Draft, overrider: ImageOverrider, path: string): void {
  if (!path.startsWith("/")) throw overrideImpossible(path, `path(${path}) does not start with a slash`);
  const image = changedImage(imageAt(draft.object, path), overrider, path, draft.object);
  draft.patch({ op: "replace", path, value: image });
}

// As Karmada: the path is split at its slashes without undoing escapes, and then used as a JSON pointer to write.
function imageAt(object: unknown, path: string): string {
  let current: unknown = object;
  for (const segment of path.replace(/^\/+|\/+$/g, "").split("/")) {
    if (Array.isArray(current)) {
      if (!/^[+-]?[0-9]+$/.test(segment)) throw overrideImpossible(path, `path(${segment}) is not a number`);
      current = current[Number(segment)];
      if (!isObject(current)) throw overrideImpossible(path, `path(${segment}) is not an object in its list`);
    } else if (isObject(current)) {
      current = current[segment];
    } else {
      throw overrideImpossible(path, `path(${segment}) stands in something that is neither object nor list`);
    }
  }
  if (typeof current !== "string") throw overrideImpossible(path, `failed to convert path(${path}) to string`);
  return current;
}

function changedImage(text: string, overrider: ImageOverrider, path: string, { kind }: KubeObject): string {
  const image = parseImage(text);
  if (image === undefined) {
    // What stands in a Secret is told to nobody.
    const value = kind === "Secret" ? "hidden" : text;
    throw overrideImpossible(path, `failed to parse image value(${value}), error: invalid reference format`);
  }
  return formatImage(changedPart(image, overrider, path));
}

function changedPart(
  image: ImageReference,
  { component, operator, value = "" }: ImageOverrider,
  path: string,
): ImageReference {
  switch (component) {
    case "Registry":
      return { ...image, hostname: changedText(image.hostname, operator, value) };
    case "Repository":
      return { ...image, repository: changedText(image.repository, operator, value) };
    case "Tag":
      return changedTag(image, operator, value);
    default:
      throw overrideImpossible(path, `unsupported image component(${String(component)})`);
  }
}

function changedText(text: string, operator: ImageOverrider["operator"], value: string): string {
  switch (operator) {
    case "add":
      return text + value;
    case "replace":
      return value;
    case "remove":
      return "";
    default:
      return text;
  }
}

function changedTag(image: ImageReference, operator: ImageOverrider["operator"], value: string): ImageReference {
  switch (operator) {
    case "add":
      return withTagOrDigest(image, (image.tag === "" ? image.digest : image.tag) + value);
    case "replace":
      return withTagOrDigest(image, value);
    case "remove":
      return { ...image, tag: "", digest: image.tag === "" ? "" : image.digest };
    default:
      return image;
  }
}
