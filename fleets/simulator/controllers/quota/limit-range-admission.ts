// Gives containers the requests and limits that LimitRanges have for them, and refuses what breaks one.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import type { AdmissionPlugin, AdmissionVerdict } from "../../../apiserver/registry/admission.ts";
import { podOf } from "../pod-object.ts";
import { readAmounts } from "./amounts.ts";
import { brokenClaimConstraints, brokenConstraints, type LimitItem } from "./limit-constraints.ts";
import { type Container, containersOf, podAmounts } from "./pod-amounts.ts";
import type { NamespaceReader } from "./quota-ledger.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

/** The plugin of one cluster. Updates of Pods pass: their containers do not change. */
export function limitRangeAdmission(reader: () => NamespaceReader): AdmissionPlugin {
  const itemsOf = (namespace: string | undefined): LimitItem[] =>
    reader()
      .list("limitranges", namespace ?? "")
      .flatMap((range) => {
        const spec = isObject(range["spec"]) ? range["spec"] : {};
        // The server has checked the shape of every LimitRange.
        return Array.isArray(spec["limits"]) ? (spec["limits"] as LimitItem[]) : [];
      });
  return {
    handles: ({ storageKey }, operation) =>
      (storageKey === "pods" && operation === "CREATE") ||
      (storageKey === "persistentvolumeclaims" && (operation === "CREATE" || operation === "UPDATE")),
    mutate: ({ object, namespace, target, subresource }) =>
      target.storageKey === "pods" && subresource === undefined ? withDefaults(object, itemsOf(namespace)) : undefined,
    validate: ({ object, namespace, target, subresource }) => {
      if (subresource !== undefined) return [];
      const items = itemsOf(namespace);
      return verdictOf(items.flatMap((item) => problemsOf(item, target.storageKey, object)));
    },
  };
}

function verdictOf(problems: readonly string[]): AdmissionVerdict {
  if (problems.length === 0) return [];
  return { code: 403, message: problems.length === 1 ? String(problems[0]) : `[${problems.join(", ")}]` };
}

function problemsOf(item: LimitItem, resource: string, object: KubeObject): string[] {
  if (resource === "persistentvolumeclaims") {
    const { spec } = object as { spec?: { resources?: { requests?: Record<string, string> } } };
    const isAbout = item.type === "PersistentVolumeClaim";
    return isAbout ? brokenClaimConstraints(item, readAmounts(spec?.resources?.requests)) : [];
  }
  const pod = podOf(object);
  if (item.type === "Pod") {
    // Overhead is nobody's request.
    const bare = { ...pod, spec: Object.fromEntries(Object.entries(pod.spec).filter(([key]) => key !== "overhead")) };
    return brokenConstraints(item, podAmounts(bare, "requests"), podAmounts(bare, "limits"));
  }
  if (item.type !== "Container") return [];
  return containersOf(pod).flatMap(({ resources = {} }) =>
    brokenConstraints(item, readAmounts(resources.requests), readAmounts(resources.limits)),
  );
}

/** The Pod with the defaults of a namespace; undefined when there is nothing to set. */
function withDefaults(object: KubeObject, items: readonly LimitItem[]): KubeObject | undefined {
  const ours = items.filter(({ type }) => type === "Container");
  const limits = Object.assign({}, ...ours.map((item) => item.default ?? {}));
  const requests = Object.assign({}, ...ours.map((item) => item.defaultRequest ?? {}));
  if (Object.keys(limits).length + Object.keys(requests).length === 0) return undefined;
  const notes: string[] = [];
  const fill = (kind: string) => (container: Container) => completed(container, requests, limits, kind, notes);
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const { containers = [], initContainers } = spec as { containers?: Container[]; initContainers?: Container[] };
  const filled = {
    ...spec,
    containers: containers.map(fill("container")),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(fill("init container")) }),
  };
  if (notes.length === 0) return undefined;
  const annotations = { ...object.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join("; ")}` };
  return { ...object, metadata: { ...object.metadata, annotations }, spec: filled };
}

function completed(
  container: Container,
  requests: Readonly<Record<string, string>>,
  limits: Readonly<Record<string, string>>,
  kind: string,
  notes: string[],
): Container {
  const { requests: ownRequests = {}, limits: ownLimits = {} } = container.resources ?? {};
  // What is limited and not requested is requested as it is limited, before anybody's defaults.
  const asked = { ...ownLimits, ...ownRequests };
  const added = (defaults: Readonly<Record<string, string>>, own: Readonly<Record<string, string>>): string[] =>
    Object.keys(defaults)
      .filter((name) => own[name] === undefined)
      .sort();
  const newRequests = added(requests, asked);
  const newLimits = added(limits, ownLimits);
  if (newRequests.length > 0) notes.push(`${newRequests.join(", ")} request for ${kind} ${container.name}`);
  if (newLimits.length > 0) notes.push(`${newLimits.join(", ")} limit for ${kind} ${container.name}`);
  if (newRequests.length + newLimits.length === 0) return container;
  const resources = {
    ...container.resources,
    requests: { ...requests, ...asked },
    limits: { ...limits, ...ownLimits },
  };
  return { ...container, resources };
}
