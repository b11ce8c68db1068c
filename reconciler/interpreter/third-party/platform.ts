// Flux, Kyverno, Cluster API, cert-manager and Crossplane.

import type { RulesByKind } from "../kind-rules.ts";
import { BUNDLED_FLUX_RULES } from "./flux/bundled.ts";
import { KYVERNO_RULES } from "./kyverno.ts";

/** `karmada`: the kinds Karmada ships customizations for. `more`: those it knows nothing of. */
export const PLATFORM_RULES: { readonly karmada: RulesByKind; readonly more: RulesByKind } = {
  karmada: { ...BUNDLED_FLUX_RULES, ...KYVERNO_RULES },
  more: {},
};
