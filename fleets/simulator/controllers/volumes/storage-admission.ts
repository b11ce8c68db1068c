// What the API server of a cluster with storage asks of claims: a class, and growth only where their class allows it.
import type { KubeObject } from "../../../../kube/object.ts";
import { compareQuantities } from "../../../../kube/quantity.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../../../apiserver/registry/admission.ts";
import { defaultClass } from "./storage-classes.ts";
import { claimSpec, classOf, namesClass, phaseOf, requestOf } from "./volume-facts.ts";

/** The plugins DefaultStorageClass and PersistentVolumeClaimResize; `classes` answers the present StorageClasses. */
export function storageAdmission(classes: () => readonly KubeObject[]): AdmissionPlugin {
  return {
    handles: ({ group, plural }, operation) =>
      group === "" && plural === "persistentvolumeclaims" && (operation === "CREATE" || operation === "UPDATE"),
    mutate({ operation, subresource, object: claim }) {
      if (operation !== "CREATE" || subresource !== undefined || namesClass(claim)) return undefined;
      const name = defaultClass(classes())?.metadata.name;
      return name === undefined ? undefined : { ...claim, spec: { ...claimSpec(claim), storageClassName: name } };
    },
    validate(request) {
      const problem = growthProblem(request, classes);
      return problem === undefined ? [] : { message: problem, code: 403 };
    },
  };
}

function growthProblem(
  { operation, subresource, object: claim, oldObject: before }: AdmissionRequest,
  classes: () => readonly KubeObject[],
): string | undefined {
  if (operation !== "UPDATE" || subresource !== undefined || before === undefined) return undefined;
  if (compareQuantities(requestOf(claim), requestOf(before)) <= 0) return undefined;
  if (phaseOf(before) !== "Bound") return "Only bound persistent volume claims can be expanded";
  const name = classOf(claim);
  const storageClass = name === classOf(before) ? classes().find((each) => each.metadata.name === name) : undefined;
  return storageClass?.["allowVolumeExpansion"] === true
    ? undefined
    : "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
}
