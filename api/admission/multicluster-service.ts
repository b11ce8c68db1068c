// Defaults and rules of MultiClusterService beyond its schema.
import { checkDns1035Label, checkDnsLabel } from "../../kube/names.ts";
import { equalJson } from "../../kube/object.ts";
import type { MultiClusterService } from "../networking.ts";
import { validateClusterName } from "./cluster.ts";
import type { AdmissionContext } from "./context.ts";
import { duplicate, invalid, type Refusal } from "./field-error.ts";

const TYPES = ["CrossCluster", "LoadBalancer"];
const HIGHEST_PORT = 65535;

const ID_LABEL = "multiclusterservice.karmada.io/permanent-id";

/** A copy with an id, which it gets on updates too. */
export function defaultMultiClusterService(
  service: MultiClusterService,
  { newUuid }: AdmissionContext,
): MultiClusterService {
  const { labels } = service.metadata;
  if (labels?.[ID_LABEL]) return service;
  return { ...service, metadata: { ...service.metadata, labels: { ...labels, [ID_LABEL]: newUuid() } } };
}

/** `old` is the stored one on update. In Karmada's order. */
export function validateMultiClusterService(
  { metadata, spec }: MultiClusterService,
  old?: MultiClusterService,
): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (old !== undefined && !equalJson(old.spec.types, spec.types)) {
    refusals.push(invalid("spec.types", {}, `the type cannot change from ${old.spec.types.join(", ")}`));
  }
  const { name = "" } = metadata;
  refusals.push(...checkDns1035Label(name).map((words) => invalid("metadata.name", name, words)));
  refusals.push(...validatePorts(spec.ports ?? []));
  for (const [index, type] of spec.types.entries()) {
    if (TYPES.includes(type)) continue;
    refusals.push(invalid(`spec.types[${index}]`, type, `there are the types ${TYPES.join(" and ")}`));
  }
  if (new Set(spec.types).size > 1) refusals.push(invalid("spec.types", {}, "only one type is possible"));
  for (const field of ["providerClusters", "consumerClusters"] as const) {
    for (const [index, cluster] of (spec[field] ?? []).entries()) {
      // Differs from Karmada, which names a field that does not exist, spec.range.
      refusals.push(...validateClusterName(cluster.name, `spec.${field}[${index}].name`));
    }
  }
  return refusals;
}

function validatePorts(ports: NonNullable<MultiClusterService["spec"]["ports"]>): Refusal[] {
  const names = new Set<string>();
  return ports.flatMap(({ name = "", port }, index) => {
    const at = `spec.ports[${index}]`;
    const refusals = name === "" ? [] : checkDnsLabel(name).map((words) => invalid(`${at}.name`, name, words));
    if (name !== "" && names.has(name)) {
      refusals.push(duplicate(`${at}.name`, name, `the name ${JSON.stringify(name)} is already used`));
    }
    names.add(name);
    if (port < 1 || port > HIGHEST_PORT) {
      refusals.push(invalid(`${at}.port`, port, `must be between 1 and ${HIGHEST_PORT}`));
    }
    return refusals;
  });
}
