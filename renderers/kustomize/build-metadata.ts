// The annotations and labels that say how an object came to be.

import { stringifyYaml } from "../../kube/yaml.ts";
import { joinPath } from "../paths.ts";
import { parseRemoteReference } from "./loading/remote.ts";
import { cloneUnlinked } from "./resources/linked-scalars.ts";
import { ensureMap, isMapNode, setField, stringNode } from "./resources/node.ts";
import type { BuildStep, Resource } from "./resources/resource.ts";
import type { ResourceMap } from "./resources/resource-map.ts";

export interface BuildMetadataOptions {
  readonly origin: boolean;
  readonly transformations: boolean;
  readonly managedBy: boolean;
}

const ORIGIN = "config.kubernetes.io/origin";
const TRANSFORMATIONS = "alpha.config.kubernetes.io/transformations";
const MANAGED_BY = "app.kubernetes.io/managed-by";

export function buildMetadataOptions(names: readonly string[] | undefined): BuildMetadataOptions {
  return {
    origin: names?.includes("originAnnotations") ?? false,
    transformations: names?.includes("transformerAnnotations") ?? false,
    managedBy: names?.includes("managedByLabel") ?? false,
  };
}

/** Writes what the root asked for. `version` goes into the managed-by label. */
export function writeBuildMetadata(map: ResourceMap, options: BuildMetadataOptions, version: string): void {
  if (!options.transformations && !options.origin && !options.managedBy) return;
  for (const resource of map.resources) map.edit(resource, (own) => write(own, options, version));
}

function write(resource: Resource, options: BuildMetadataOptions, version: string): void {
  if (options.transformations && resource.transformations.length > 0) {
    annotate(resource, TRANSFORMATIONS, stringifyYaml(resource.transformations.map(inOrder)));
  }
  if (options.origin && resource.step !== undefined) annotate(resource, ORIGIN, stringifyYaml(inOrder(resource.step)));
  if (options.managedBy) {
    setField(ensureMap(ensureMap(resource.node, "metadata"), "labels"), MANAGED_BY, stringNode(`kustomize-${version}`));
  }
}

/** Notes a transformer on every object; on one of unknown origin it counts as its maker. */
export function recordTransformer(map: ResourceMap, step: BuildStep): void {
  const key = map.options.keepStates ? `record\n${JSON.stringify(step)}` : undefined;
  map.during({ key, writer: { by: "buildMetadata", file: step.configuredIn ?? "" } }, () => {
    for (const resource of map.resources) {
      map.edit(resource, (own) => {
        // As kustomize: annotations are made anew where it notes something among them.
        if (own.hasLinks) separateAnnotations(own);
        if (own.step === undefined) own.step = step;
        else own.transformations.push(step);
        return false;
      });
    }
  });
}

function separateAnnotations(own: Resource): void {
  const annotations = own.metadata?.get("annotations");
  if (isMapNode(annotations)) ensureMap(own.node, "metadata").set("annotations", cloneUnlinked(annotations));
}

function annotate(resource: Resource, key: string, value: string): void {
  setField(ensureMap(ensureMap(resource.node, "metadata"), "annotations"), key, stringNode(value));
}

/** The fields as the annotations list them. */
function inOrder({ path, repo, ref, configuredIn, configuredBy }: BuildStep): object {
  return {
    ...(path !== undefined && { path }),
    ...(repo !== undefined && { repo }),
    ...(ref !== undefined && { ref }),
    ...(configuredIn !== undefined && { configuredIn }),
    ...(configuredBy !== undefined && { configuredBy }),
  };
}

/** A file or directory as `buildMetadata` names it. */
export interface Place {
  /** From the root's directory, or within the repository. */
  readonly path: string;
  readonly repo?: string;
  readonly ref?: string;
}

/** The directory that is built. */
export const ROOT_PLACE: Place = { path: "" };

/** What an entry of the kustomization at `above` names: the entries on the way put together as they are written. */
export function placeBelow(above: Place, entry: string): Place {
  const reference = parseRemoteReference(entry);
  if (reference === undefined)
    return { ...above, path: cleanPath(above.path === "" ? entry : `${above.path}/${entry}`) };
  const { repository: repo, ref } = reference;
  // As kustomize: the root of a repository has the name of the folder that it has not been cloned to.
  const path = joinPath("", reference.path) || "notCloned";
  return { path, repo, ...(ref !== "" && { ref }) };
}

/** What a field of a kustomization file does, as a built-in generator or transformer. */
export function builtInStep({ path, ...remote }: Place, kind: string): BuildStep {
  return { ...remote, configuredIn: path, configuredBy: { apiVersion: "builtin", kind } };
}

/** A path without `.` and empty parts, and with `..` only at its beginning. */
function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}

/** Notes where an object is from. */
export function recordOrigin(map: ResourceMap, resource: Resource, place: Place): void {
  const key = map.options.keepStates ? `origin\n${JSON.stringify(place)}` : undefined;
  map.during({ key, writer: { by: "buildMetadata", file: place.path } }, () => {
    map.edit(resource, (own) => {
      own.step = place;
      return false;
    });
  });
}
