// All areas of the kustomize fuzz; inputs are drawn from them in turn.
import type { Area } from "./area.ts";
import { errors } from "./areas/errors.ts";
import { generators } from "./areas/generators.ts";
import { helm } from "./areas/helm.ts";
import { loader } from "./areas/loader.ts";
import { metadata } from "./areas/metadata.ts";
import { mixed } from "./areas/mixed.ts";
import { patches } from "./areas/patches.ts";
import { plugins } from "./areas/plugins.ts";
import { references } from "./areas/references.ts";
import { replacements } from "./areas/replacements.ts";
import { values } from "./areas/values.ts";
import { yaml } from "./areas/yaml.ts";

export const AREAS: readonly Area[] = [
  errors,
  loader,
  ...[mixed, metadata, patches, plugins, references, replacements],
  ...[yaml, generators, values],
];

/** Areas that need another program or much time: only for `--area NAME`. `helm` wants helm beside the real kustomize. */
export const ASKED_AREAS: readonly Area[] = [helm];
