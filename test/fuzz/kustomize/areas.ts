// All areas of the kustomize fuzz; inputs are drawn from them in turn.
import type { Area } from "./area.ts";
import { generators } from "./areas/generators.ts";
import { metadata } from "./areas/metadata.ts";
import { mixed } from "./areas/mixed.ts";
import { patches } from "./areas/patches.ts";
import { references } from "./areas/references.ts";
import { replacements } from "./areas/replacements.ts";
import { yaml } from "./areas/yaml.ts";

export const AREAS: readonly Area[] = [mixed, metadata, patches, references, replacements, yaml, generators];
