// The IAMPolicyGenerator: a service account that is tied to an account of the cloud.

import { renderError } from "../../errors.ts";
import { parseResources } from "../resources/parse.ts";
import type { Resource } from "../resources/resource.ts";

export interface ServiceAccountConfig {
  readonly cloud?: string;
  readonly kubernetesService?: { readonly namespace?: string; readonly name?: string };
  readonly serviceAccount?: { readonly name?: string; readonly projectId?: string };
}

/** Throws `render-plugin` for another cloud than GKE, `render-unrepresentable-value` for names that break the YAML. */
export function generateServiceAccount(config: ServiceAccountConfig, file: string): Resource {
  const { cloud = "", kubernetesService, serviceAccount } = config;
  if (cloud !== "gke") {
    throw renderError("render-plugin", `the cloud ${cloud} is not supported, gke is`, { file, path: "cloud" });
  }
  if (!kubernetesService?.name) {
    throw renderError("render-invalid-resource", "the service account has no name", {
      file,
      path: "kubernetesService.name",
    });
  }
  // As kustomize: the object is written as text, so that a name of digits becomes a number and `#` opens a comment.
  const account = `${serviceAccount?.name ?? ""}@${serviceAccount?.projectId ?? ""}.iam.gserviceaccount.com`;
  const namespace = kubernetesService.namespace ? `\n  namespace: ${kubernetesService.namespace}` : "";
  const text = `apiVersion: v1
kind: ServiceAccount
metadata:
  annotations:
    iam.gke.io/gcp-service-account: ${account}
  name: ${kubernetesService.name}
${namespace}`;
  try {
    const [made] = parseResources(text, file);
    if (made !== undefined) return made;
  } catch (cause) {
    const what = `the names of the service account cannot stand in YAML: ${(cause as Error).message}`;
    throw renderError("render-unrepresentable-value", what, { file, cause });
  }
  throw renderError("render-invalid-resource", "the service account has no name", { file });
}
