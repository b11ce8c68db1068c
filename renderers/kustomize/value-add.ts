// The ValueAddTransformer: writes one value into chosen fields, whole or as part of a path.

import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { wrapYamlError } from "../errors.ts";
import { baseNameOf } from "../paths.ts";
import { walkFieldSpec } from "./field-walk.ts";
import type { Selector } from "./kustomization.ts";
import type { Loader } from "./loader.ts";
import { stringNode, textOf } from "./node.ts";
import type { ResourceMap } from "./resource-map.ts";
import { selectResources } from "./select.ts";

interface ValueAddConfig {
  /** Default: the name of the kustomization's folder. */
  readonly value?: string;
  readonly targets?: unknown;
  /** A file with more targets. */
  readonly targetFilePath?: string;
}

/** Applies the value to every target. */
export function applyValueAdd(map: ResourceMap, config: ValueAddConfig, loader: Loader): void {
  const value = config.value || baseNameOf(loader.root);
  for (const target of [...asList(config.targets), ...targetsOfFile(config.targetFilePath, loader)]) {
    if (!isObject(target)) throw loader.fault("render-plugin", "", "a target of a ValueAddTransformer must be a map");
    const selector = isObject(target["selector"]) ? (target["selector"] as Selector) : {};
    const notSelector = isObject(target["notSelector"]) ? (target["notSelector"] as Selector) : undefined;
    const excluded = new Set(notSelector === undefined ? [] : selectResources(map.resources, notSelector));
    const position = typeof target["filePathPosition"] === "number" ? target["filePathPosition"] : 0;
    const path = slashed(typeof target["fieldPath"] === "string" ? target["fieldPath"] : "");
    for (const resource of selectResources(map.resources, selector)) {
      if (excluded.has(resource)) continue;
      map.edit(
        resource,
        (own) =>
          walkFieldSpec(own, { path, create: true }, { create: "scalar" }, (node, set) => {
            set(stringNode(place(textOf(node) ?? "", value, position)));
          }),
        `${path}\n${position}\n${value}`,
      );
    }
  }
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function targetsOfFile(entry: string | undefined, loader: Loader): readonly unknown[] {
  if (!entry) return [];
  const { path, text } = loader.loadText(entry);
  try {
    return asList(parseYaml(text, { file: path }));
  } catch (error) {
    throw wrapYamlError(error, "render-plugin", path);
  }
}

function slashed(path: string): string {
  return path.includes("/") ? path : path.replaceAll(".", "/");
}

function place(text: string, value: string, position: number): string {
  if (position <= 0) return value;
  const parts = text.split("/");
  const lead = text.startsWith("/") ? 1 : 0;
  parts.splice(position - 1 + lead, 0, value);
  return parts.join("/");
}
