// The ValueAddTransformer: writes one value into chosen fields, whole or as part of a path.

import { isObject } from "../../kube/object.ts";
import { renderError } from "../errors.ts";
import { walkFieldSpec } from "./field-walk.ts";
import type { FieldSpec, Selector } from "./kustomization.ts";
import { stringNode, textOf } from "./node.ts";
import type { ResourceMap } from "./resource-map.ts";
import { selectResources } from "./select.ts";

interface ValueAddConfig {
  readonly value?: string;
  readonly targets?: unknown;
}

/** Applies the value to every target. */
export function applyValueAdd(map: ResourceMap, config: ValueAddConfig, file: string): void {
  if (!Array.isArray(config.targets)) return;
  for (const target of config.targets) {
    if (!isObject(target))
      throw renderError("render-plugin", "a target of ValueAddTransformer must be a map", { file });
    const selector = isObject(target["selector"]) ? (target["selector"] as Selector) : {};
    const notSelector = isObject(target["notSelector"]) ? (target["notSelector"] as Selector) : undefined;
    const excluded = new Set(notSelector === undefined ? [] : selectResources(map.resources, notSelector));
    // The path may stand in the target itself or in a field spec of its own.
    const spec = (isObject(target["fieldSpec"]) ? target["fieldSpec"] : target) as FieldSpec & { fieldPath?: string };
    const position = typeof target["filePathPosition"] === "number" ? target["filePathPosition"] : 0;
    const path = (spec.path ?? spec.fieldPath ?? "").replaceAll(".", "/");
    for (const resource of selectResources(map.resources, selector)) {
      if (excluded.has(resource)) continue;
      walkFieldSpec(resource, { ...spec, path, create: true }, { create: "scalar" }, (node, set) => {
        set(stringNode(place(textOf(node) ?? "", config.value ?? "", position)));
      });
    }
  }
  map.invalidate();
}

function place(text: string, value: string, position: number): string {
  if (position <= 0) return value;
  const parts = text.split("/");
  const lead = text.startsWith("/") ? 1 : 0;
  parts.splice(position - 1 + lead, 0, value);
  return parts.join("/");
}
