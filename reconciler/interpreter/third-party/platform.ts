// Flux, Kyverno, Cluster API, cert-manager, Crossplane, External Secrets and Gateway API.

import type { RulesByKind } from "../kind-rules.ts";
import { CERT_MANAGER_RULES } from "./cert-manager.ts";
import { CLUSTER_API_RULES } from "./cluster-api.ts";
import { CROSSPLANE_RULES } from "./crossplane.ts";
import { EXTERNAL_SECRETS_RULES } from "./external-secrets.ts";
import { BUNDLED_FLUX_RULES } from "./flux/bundled.ts";
import { CURRENT_FLUX_RULES } from "./flux/current.ts";
import { GATEWAY_API_RULES } from "./gateway-api.ts";
import { CURRENT_KYVERNO_RULES, KYVERNO_RULES } from "./kyverno.ts";

/** `karmada`: the kinds Karmada ships customizations for. `more`: those it knows nothing of. */
export const PLATFORM_RULES: { readonly karmada: RulesByKind; readonly more: RulesByKind } = {
  karmada: { ...BUNDLED_FLUX_RULES, ...KYVERNO_RULES },
  more: {
    ...CURRENT_FLUX_RULES,
    ...CLUSTER_API_RULES,
    ...CERT_MANAGER_RULES,
    ...CROSSPLANE_RULES,
    ...EXTERNAL_SECRETS_RULES,
    ...GATEWAY_API_RULES,
    ...CURRENT_KYVERNO_RULES,
  },
};
