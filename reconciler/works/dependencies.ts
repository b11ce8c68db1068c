// Objects that go along with the object that needs them: their bindings have no clusters of their own and follow those
// of the bindings that refer to them.

import type { BindingSnapshot, ResourceBinding, ResourceBindingSpec } from "../../api/work.ts";
import { type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { matchesLabelSelector } from "../../kube/selectors.ts";
import type { Dependency } from "../interpreter/interpreter.ts";
import { BINDING_API_VERSION, unionOf } from "./binding.ts";
import {
  BINDING_FINALIZER,
  BINDING_ID_LABEL,
  DEPENDED_BY_LABEL_PREFIX,
  DEPENDENCIES_ANNOTATION,
  DEPENDENCIES_FINALIZER,
} from "./metadata-keys.ts";
import { bindingName, bindingReferenceKey } from "./naming.ts";

export interface DependenciesRequest {
  /** The binding made by a policy, whose object needs others. */
  readonly referrer: ResourceBinding;
  /** What its object needs; empty when the policy does not ask for dependencies any more. */
  readonly dependencies: readonly Dependency[];
  /** Those objects of the control plane that `dependencies` name or select. Missing ones are picked up when they appear. */
  readonly objects: readonly KubeObject[];
  /** Bindings in the referrer's namespace that follow it by now. */
  readonly attached: readonly ResourceBinding[];
  /** Any binding of a namespace, by name: those of the objects, and those of other referrers. */
  readonly bindingOf: (namespace: string, name: string) => ResourceBinding | undefined;
  /** Permanent id for the binding of an object that has none yet; left to admission when absent. */
  readonly newId?: (bindingName: string) => string;
}

export interface DependenciesPlan {
  /** The referrer with its record of dependencies and its finalizer; the very same when nothing changes. */
  readonly referrer: ResourceBinding;
  /** Bindings to create or update so that they follow the referrer. */
  readonly attach: readonly ResourceBinding[];
  /** Bindings that follow the referrer no more, as they are to be. They stay, with the clusters of their other referrers. */
  readonly detach: readonly ResourceBinding[];
  /** Names of the bindings whose referrers want different things for conflicts or deletion. */
  readonly disagreements: readonly string[];
}

/** True while the objects that a binding's object needs are to follow it. */
export function propagatesDependencies(binding: ResourceBinding): boolean {
  return binding.spec.propagateDeps === true && binding.metadata.deletionTimestamp === undefined;
}

/** What has to be written so that the dependencies of one binding follow it, and nothing else does. */
export function planDependencies(request: DependenciesRequest): DependenciesPlan {
  const { referrer, attached, objects } = request;
  const follows = propagatesDependencies(referrer);
  const wanted = follows ? objects : [];
  const keep = new Set(wanted.map((object) => refKey(refOf(object))));
  const isKept = ({ spec }: ResourceBinding): boolean =>
    keep.has(resourceKey(spec)) || request.dependencies.some((dependency) => names(dependency, spec.resource));
  const orphans = attached.filter((binding) => !follows || !isKept(binding));
  const plans = [
    ...wanted.map((object) => attachBinding(request, object)),
    ...orphans.map((binding) => detachBinding(binding, referrer, request.bindingOf)),
  ];
  return {
    referrer: follows ? withRecord(referrer, request.dependencies) : withoutFinalizer(referrer),
    attach: plans.slice(0, wanted.length).map(({ binding }) => binding),
    detach: plans.slice(wanted.length).map(({ binding }) => binding),
    disagreements: plans.filter(({ disagrees }) => disagrees).map(({ binding }) => binding.metadata.name ?? ""),
  };
}

/** True when `dependency` names or selects `object`. */
export function dependsOn(dependency: Dependency, object: KubeObject): boolean {
  if (dependency.apiVersion !== object.apiVersion || dependency.kind !== object.kind) return false;
  if ((dependency.namespace ?? "") !== (object.metadata.namespace ?? "")) return false;
  if (dependency.name !== undefined && dependency.name !== "") return dependency.name === object.metadata.name;
  return matchesLabelSelector(dependency.labelSelector, object.metadata.labels);
}

/** True when `dependency` names the object, be it there or not: the binding of one that is gone goes with it. */
function names(dependency: Dependency, object: ResourceBindingSpec["resource"]): boolean {
  return (
    dependency.name === object.name &&
    dependency.kind === object.kind &&
    dependency.apiVersion === object.apiVersion &&
    (dependency.namespace ?? "") === (object.namespace ?? "")
  );
}

/** The label that a binding carries while it follows `referrer`; its value is the referrer's permanent id. */
export function dependedByLabel(referrer: ResourceBinding): string {
  const { namespace = "", name = "" } = referrer.metadata;
  return DEPENDED_BY_LABEL_PREFIX + bindingReferenceKey(namespace, name);
}

/** The record of dependencies on a referrer, as JSON with fields in Karmada's order. */
export function dependenciesRecord(dependencies: readonly Dependency[]): string {
  return JSON.stringify(
    dependencies.map(({ apiVersion, kind, namespace, name, labelSelector }) => ({
      apiVersion,
      kind,
      namespace: namespace || undefined,
      name: name || undefined,
      labelSelector,
    })),
  );
}

interface PlannedBinding {
  readonly binding: ResourceBinding;
  readonly disagrees: boolean;
}

function attachBinding(request: DependenciesRequest, object: KubeObject): PlannedBinding {
  const { referrer, bindingOf, newId } = request;
  const { name = "", uid = "", resourceVersion } = object.metadata;
  const namespace = referrer.metadata.namespace ?? "";
  const ownName = bindingName(object.kind, name);
  const existing = bindingOf(namespace, ownName);
  const snapshot: BindingSnapshot = {
    namespace,
    name: referrer.metadata.name ?? "",
    ...(referrer.spec.clusters === undefined ? {} : { clusters: referrer.spec.clusters }),
  };
  const requiredBy = [...otherReferrers(existing?.spec, referrer), snapshot];
  const resource = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
    name,
    ...(uid === "" ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  // A binding that a policy made too keeps everything the policy decided. Any other follows the object: its version in
  // the binding is what sends a change of the object along.
  const base: ResourceBindingSpec =
    existing === undefined
      ? { resource }
      : existing.spec.placement !== undefined
        ? { ...existing.spec }
        : { ...existing.spec, resource: { ...existing.spec.resource, ...resource } };
  const settled = settle({ ...base, requiredBy: sortSnapshots(requiredBy) }, bindingOf, referrer);
  const idLabel = newId === undefined ? {} : { [BINDING_ID_LABEL]: newId(ownName) };
  return {
    disagrees: settled.disagrees,
    binding: {
      ...(existing ?? { apiVersion: BINDING_API_VERSION, kind: "ResourceBinding" as const }),
      metadata: {
        ...(existing?.metadata ?? {
          name: ownName,
          namespace,
          ownerReferences: [
            { apiVersion: object.apiVersion, kind: object.kind, name, uid, controller: true, blockOwnerDeletion: true },
          ],
        }),
        labels: {
          ...(existing?.metadata.labels ?? idLabel),
          [dependedByLabel(referrer)]: referrer.metadata.labels?.[BINDING_ID_LABEL] ?? "",
        },
        finalizers: unionOf(existing?.metadata.finalizers, [BINDING_FINALIZER]),
      },
      spec: settled.spec,
    },
  };
}

function detachBinding(
  binding: ResourceBinding,
  referrer: ResourceBinding,
  bindingOf: DependenciesRequest["bindingOf"],
): PlannedBinding {
  const labels = { ...binding.metadata.labels };
  delete labels[dependedByLabel(referrer)];
  const { requiredBy: _old, ...spec } = binding.spec;
  const requiredBy = otherReferrers(binding.spec, referrer);
  const settled = settle(requiredBy.length === 0 ? spec : { ...spec, requiredBy }, bindingOf, undefined);
  return {
    disagrees: settled.disagrees,
    binding: { ...binding, metadata: { ...binding.metadata, labels }, spec: settled.spec },
  };
}

function otherReferrers(spec: ResourceBindingSpec | undefined, referrer: ResourceBinding): BindingSnapshot[] {
  const { namespace = "", name = "" } = referrer.metadata;
  return (spec?.requiredBy ?? []).filter((other) => other.name !== name || (other.namespace ?? "") !== namespace);
}

function sortSnapshots(snapshots: readonly BindingSnapshot[]): BindingSnapshot[] {
  const keyOf = ({ namespace = "", name }: BindingSnapshot) => `${namespace}/${name}`;
  return [...snapshots].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}

/**
 * A binding without a policy of its own does as its referrers say: it overwrites, and it is preserved, as soon as one
 * of them wants that. Without referrers it says nothing.
 */
function settle(
  spec: ResourceBindingSpec,
  bindingOf: DependenciesRequest["bindingOf"],
  current: ResourceBinding | undefined,
): { readonly spec: ResourceBindingSpec; readonly disagrees: boolean } {
  if (spec.placement !== undefined) return { spec, disagrees: false };
  const { conflictResolution: _conflict, preserveResourcesOnDeletion: _preserve, ...rest } = spec;
  const referrers = (spec.requiredBy ?? [])
    .map(({ namespace = "", name }) =>
      current?.metadata.name === name && (current.metadata.namespace ?? "") === namespace
        ? current
        : bindingOf(namespace, name),
    )
    .filter((binding) => binding !== undefined);
  if (referrers.length === 0) return { spec: rest, disagrees: false };
  const overwriting = referrers.filter((binding) => binding.spec.conflictResolution === "Overwrite").length;
  const preserving = referrers.filter((binding) => binding.spec.preserveResourcesOnDeletion === true).length;
  return {
    spec: {
      ...rest,
      conflictResolution: overwriting > 0 ? "Overwrite" : "Abort",
      ...(preserving > 0 ? { preserveResourcesOnDeletion: true } : {}),
    },
    disagrees: isSplit(overwriting, referrers.length) || isSplit(preserving, referrers.length),
  };
}

function isSplit(part: number, whole: number): boolean {
  return part > 0 && part < whole;
}

function withRecord(referrer: ResourceBinding, dependencies: readonly Dependency[]): ResourceBinding {
  const record = dependenciesRecord(dependencies);
  const { annotations, finalizers } = referrer.metadata;
  if (annotations?.[DEPENDENCIES_ANNOTATION] === record && finalizers?.includes(DEPENDENCIES_FINALIZER) === true) {
    return referrer;
  }
  return {
    ...referrer,
    metadata: {
      ...referrer.metadata,
      annotations: { ...annotations, [DEPENDENCIES_ANNOTATION]: record },
      finalizers: unionOf(finalizers, [DEPENDENCIES_FINALIZER]),
    },
  };
}

function withoutFinalizer(referrer: ResourceBinding): ResourceBinding {
  const { finalizers } = referrer.metadata;
  if (finalizers?.includes(DEPENDENCIES_FINALIZER) !== true) return referrer;
  return {
    ...referrer,
    metadata: { ...referrer.metadata, finalizers: finalizers.filter((name) => name !== DEPENDENCIES_FINALIZER) },
  };
}

function resourceKey(spec: ResourceBindingSpec): string {
  const { apiVersion, kind, namespace, name } = spec.resource;
  return refKey({ apiVersion, kind, namespace, name });
}
