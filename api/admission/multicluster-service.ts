// Rules of MultiClusterService beyond its schema.
import { equalJson } from "../../kube/object.ts";
import type { MultiClusterService } from "../networking.ts";
import { validateClusterName } from "./cluster.ts";
import { duplicate, invalid, notSupported, type Refusal, required } from "./field-error.ts";

const TYPES = ["CrossCluster", "LoadBalancer"];
const HIGHEST_PORT = 65535;

/** `old` is the stored one on update. */
export function validateMultiClusterService(
  { spec }: MultiClusterService,
  old?: MultiClusterService,
): readonly Refusal[] {
  const refusals: Refusal[] = spec.types.flatMap((type, index) =>
    TYPES.includes(type) ? [] : [notSupported(`spec.types[${index}]`, type, TYPES)],
  );
  if (spec.types.length === 0) refusals.push(required("spec.types", `name one of ${TYPES.join(" and ")}`));
  if (spec.types.length > 1) refusals.push(invalid("spec.types", {}, "only one type is possible"));
  if (old !== undefined && !equalJson(old.spec.types, spec.types)) {
    refusals.push(invalid("spec.types", {}, `the type cannot change from ${old.spec.types.join(", ")}`));
  }
  const names = new Set<string>();
  for (const [index, { name = "", port }] of (spec.ports ?? []).entries()) {
    if (port < 1 || port > HIGHEST_PORT) {
      refusals.push(invalid(`spec.ports[${index}].port`, port, `must be between 1 and ${HIGHEST_PORT}`));
    }
    if (names.has(name)) {
      refusals.push(duplicate(`spec.ports[${index}].name`, name, `the name ${JSON.stringify(name)} is already used`));
    }
    names.add(name);
  }
  for (const field of ["providerClusters", "consumerClusters"] as const) {
    for (const [index, { name }] of (spec[field] ?? []).entries()) {
      refusals.push(...validateClusterName(name, `spec.${field}[${index}].name`));
    }
  }
  return refusals;
}
