import {
  bindingName,
  bindingReferenceKey,
  clusterOfExecutionNamespace,
  derivedServiceName,
  estimatorServiceName,
  executionNamespace,
  impersonationSecretName,
  importedEndpointSliceName,
  isReservedNamespace,
  memberRoleName,
  memberServiceAccountName,
  promotedPolicyName,
  workName,
} from "../../../reconciler/works/naming.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { caseSuite } from "../karmada-cases.ts";
import type { Suite } from "../suite.ts";

export interface NamingInput {
  readonly function: string;
  readonly args: readonly string[];
}

function clusterOrError(namespace: string): unknown {
  try {
    return { cluster: clusterOfExecutionNamespace(namespace) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

// The vectors name the functions as Karmada does.
const FUNCTIONS: Readonly<Record<string, (a: string, b: string, c: string) => unknown>> = {
  GenerateBindingName: (kind, name) => bindingName(kind, name),
  GenerateWorkName: (kind, name, namespace) => workName(kind, name, namespace),
  GenerateBindingReferenceKey: (namespace, name) => bindingReferenceKey(namespace, name),
  GeneratePolicyName: (namespace, name, gvk) => promotedPolicyName(namespace, name, gvk),
  GenerateExecutionSpaceName: (cluster) => executionNamespace(cluster),
  GenerateServiceAccountName: (cluster) => memberServiceAccountName(cluster),
  GenerateRoleName: (account) => memberRoleName(account),
  GenerateImpersonationSecretName: (cluster) => impersonationSecretName(cluster),
  GenerateEstimatorServiceName: (prefix, cluster) => estimatorServiceName(prefix, cluster),
  GenerateEndpointSliceName: (slice, cluster) => importedEndpointSliceName(slice, cluster),
  GenerateDerivedServiceName: (service) => derivedServiceName(service),
  GetClusterName: (namespace) => clusterOrError(namespace),
  IsReservedNamespace: (namespace) => isReservedNamespace(namespace),
};

/** Functions that can be asked for, by Karmada's names. */
export const NAMING_FUNCTIONS: readonly string[] = Object.keys(FUNCTIONS);

/** The name we would give. */
export function answerNaming(input: NamingInput): unknown {
  const [a = "", b = "", c = ""] = input.args;
  const result = FUNCTIONS[input.function]?.(a, b, c);
  return { result };
}

export const suite: Suite = caseSuite<NamingInput>("naming.json", answerNaming);
