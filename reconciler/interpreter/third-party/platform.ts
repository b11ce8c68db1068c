// Flux, Kyverno, Cluster API, cert-manager and Crossplane.

import type { RulesByKind } from "../kind-rules.ts";

/** `karmada`: the kinds Karmada ships customizations for. `more`: those it knows nothing of. */
export const PLATFORM_RULES: { readonly karmada: RulesByKind; readonly more: RulesByKind } = { karmada: {}, more: {} };
