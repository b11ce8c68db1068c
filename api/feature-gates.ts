// Feature gates by Karmada's names and with Karmada's defaults, as `flaghoist up --feature-gates` takes them.

/**
 * The gates that change what we do. Source: pkg/features/features.go of Karmada's main branch in August 2026, where
 * PriorityBasedScheduling has become beta and is on; up to 1.18 it is off.
 */
export const DEFAULT_FEATURE_GATES = {
  CustomizedClusterResourceModeling: true,
  Failover: false,
  FederatedQuotaEnforcement: false,
  GracefulEviction: true,
  MultiplePodTemplatesScheduling: false,
  PriorityBasedScheduling: true,
  PropagateDeps: true,
  PropagationPolicyPreemption: false,
  ResourceQuotaEstimate: false,
  SchedulingOvercommitProtection: false,
  StatefulFailoverInjection: false,
  WorkloadAffinity: false,
};
export type FeatureGate = keyof typeof DEFAULT_FEATURE_GATES;
export type FeatureGates = Readonly<Record<FeatureGate, boolean>>;

/** Gates of Karmada that switch nothing here: another option does, or the feature is always there or not built yet. */
const NOT_SWITCHED: readonly string[] = ["ControllerPriorityQueue", "MultiClusterService"];

/** Every gate, those in `changes` as they say. */
export function featureGates(changes: Partial<FeatureGates> = {}): FeatureGates {
  return { ...DEFAULT_FEATURE_GATES, ...changes };
}

/**
 * Reads `Gate=true,Other=false`. Throws an Error that names the part which is no known gate or no boolean; a gate named
 * twice is what it is told last, as with Kubernetes' own flags.
 */
export function parseFeatureGates(text: string): Partial<FeatureGates> {
  const gates: Partial<Record<FeatureGate, boolean>> = {};
  for (const part of text.split(",").map((each) => each.trim())) {
    if (part === "") continue;
    const [name = "", value] = part.split("=", 2).map((each) => each.trim());
    if (value !== "true" && value !== "false") throw new Error(`"${part}" is not of the form Gate=true or Gate=false`);
    if (isFeatureGate(name)) gates[name] = value === "true";
    else if (NOT_SWITCHED.includes(name)) throw new Error(`the gate ${name} is Karmada's, but switches nothing here`);
    else throw new Error(`there is no gate "${name}"; there are ${Object.keys(DEFAULT_FEATURE_GATES).join(", ")}`);
  }
  return gates;
}

function isFeatureGate(name: string): name is FeatureGate {
  return Object.hasOwn(DEFAULT_FEATURE_GATES, name);
}
