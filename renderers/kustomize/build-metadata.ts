// The annotations and labels that say how an object came to be.

import { stringifyYaml } from "../../kube/yaml.ts";
import { parentOf } from "../paths.ts";
import { ensureMap, setField, stringNode } from "./node.ts";
import type { BuildStep, Resource } from "./resource.ts";

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
  resources: readonly Resource[],
  options: BuildMetadataOptions,
  root: string,
  version: string,
): void {
  for (const resource of resources) {
    if (options.transformations && resource.transformations.length > 0) {
      const steps = resource.transformations.map((step) => describeStep(step, root));
      annotate(resource, TRANSFORMATIONS, stringifyYaml(steps));
    }
    if (options.origin && resource.step !== undefined) {
      annotate(resource, ORIGIN, stringifyYaml(describeStep(resource.step, root)));
    }
    if (options.managedBy) {
      setField(
        ensureMap(ensureMap(resource.node, "metadata"), "labels"),
        MANAGED_BY,
        stringNode(`kustomize-${version}`),
      );
    }
  }
}

/** Notes a transformer on every object; on one of unknown origin it counts as its maker. */
export function recordTransformer(resources: readonly Resource[], step: BuildStep): void {
  for (const resource of resources) {
    if (resource.step === undefined) resource.step = step;
    else resource.transformations.push(step);
  }
}

function annotate(resource: Resource, key: string, value: string): void {
  setField(ensureMap(ensureMap(resource.node, "metadata"), "annotations"), key, stringNode(value));
}

function describeStep(step: BuildStep, root: string): BuildStep {
  return {
    ...(step.path === undefined ? {} : { path: relativeTo(root, step.path) }),
    ...(step.configuredIn === undefined ? {} : { configuredIn: relativeTo(root, step.configuredIn) }),
    ...(step.configuredBy === undefined ? {} : { configuredBy: step.configuredBy }),
  };
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
