// The annotations and labels that say how an object came to be.

import { stringifyYaml } from "../../kube/yaml.ts";
import { parentOf } from "../paths.ts";
import { cloneUnlinked } from "./linked-scalars.ts";
import { ensureMap, isMapNode, setField, stringNode } from "./node.ts";
import { remoteOrigin } from "./remote.ts";
import type { BuildStep, Resource } from "./resource.ts";
import type { ResourceMap } from "./resource-map.ts";

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
export function writeBuildMetadata(
  map: ResourceMap,
  options: BuildMetadataOptions,
  root: string,
  version: string,
): void {
  if (!options.transformations && !options.origin && !options.managedBy) return;
  for (const resource of map.resources) map.edit(resource, (own) => write(own, options, root, version));
}

function write(resource: Resource, options: BuildMetadataOptions, root: string, version: string): void {
  if (options.transformations && resource.transformations.length > 0) {
    const steps = resource.transformations.map((step) => describeStep(step, root));
    annotate(resource, TRANSFORMATIONS, stringifyYaml(steps));
  }
  if (options.origin && resource.step !== undefined) {
    annotate(resource, ORIGIN, stringifyYaml(describeStep(resource.step, root)));
  }
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

function describeStep(step: BuildStep, root: string): object {
  const path = step.path === undefined ? undefined : placeOf(step.path, root);
  const configuredIn = step.configuredIn === undefined ? undefined : placeOf(step.configuredIn, root);
  const { repo, ref } = path ?? configuredIn ?? {};
  return {
    ...(path && { path: path.path }),
    ...(repo !== undefined && { repo }),
    ...(ref !== undefined && { ref }),
    ...(configuredIn && { configuredIn: configuredIn.path }),
    ...(step.configuredBy === undefined ? {} : { configuredBy: step.configuredBy }),
  };
}

function placeOf(file: string, root: string): { readonly path: string; readonly repo?: string; readonly ref?: string } {
  return remoteOrigin(file) ?? { path: relativeTo(root, file) };
}

function relativeTo(root: string, path: string): string {
  let base = root;
  let up = "";
  while (base !== "" && path !== base && !path.startsWith(`${base}/`)) {
    base = parentOf(base);
    up += "../";
  }
  return up + (base === "" ? path : path.slice(base.length + 1));
}
