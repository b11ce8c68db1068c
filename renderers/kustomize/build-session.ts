// What the steps of a build share.

import type { RenderWarning } from "../rendered.ts";
import type { BuildMetadataOptions, Place } from "./build-metadata.ts";
import type { ChartInflator } from "./generators/helm-charts.ts";
import type { Kustomization } from "./kustomization/kustomization.ts";
import type { Loader } from "./loading/loader.ts";
import type { WriterLines } from "./origins.ts";
import type { OpenApi } from "./patches/openapi.ts";
import type { VarSet } from "./references/vars.ts";
import type { RenderCache } from "./render-cache.ts";
import { parseResources } from "./resources/parse.ts";
import type { Resource } from "./resources/resource.ts";
import type { MapOptions, ResourceMap } from "./resources/resource-map.ts";
import type { TransformerConfig } from "./transformers/transformer-config.ts";

/** What all kustomizations of one build share. */
export interface BuildSession {
  readonly warnings: RenderWarning[];
  /** Objects in all, to keep a build from growing without bound. */
  readonly maxObjects: number;
  readonly cache: RenderCache | undefined;
  readonly map: MapOptions;
  /** The kustomizations that were read, to tell on which lines their entries stand. */
  readonly lines: WriterLines;
  /** Absent: Helm charts are refused. */
  readonly charts: ChartInflator | undefined;
  metadata: BuildMetadataOptions | undefined;
  readonly openApi: OpenApi;
}

/** Objects, configuration and variables as they grow. */
export interface Accumulated {
  readonly map: ResourceMap;
  config: TransformerConfig;
  readonly vars: VarSet;
}

export interface LoadedKustomization {
  readonly kustomization: Kustomization;
  readonly loader: Loader;
  readonly file: string;
  /** Its directory as `buildMetadata` names it, and the file in it. */
  readonly place: Place;
  readonly filePlace: Place;
  /** The namespace that the kustomizations around this one set, nearest first; charts are released into it. */
  readonly namespaceAbove: string;
}

/** Reads objects, from memory where the same text was read before: they must only be changed by `ResourceMap.edit`. */
export function parseRemembered(text: string, file: string, session: BuildSession): readonly Resource[] {
  return session.cache?.parsed(text, file, parseResources) ?? parseResources(text, file);
}
