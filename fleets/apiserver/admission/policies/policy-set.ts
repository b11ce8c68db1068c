// The stored policies of one kind with their bindings, indexed so that writes that concern none cost nothing.
import { isObject, type JsonObject, type KubeObject } from "../../../../kube/object.ts";
import type { AdmissionOperation } from "../../registry/admission.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Store } from "../../storage/store.ts";
import {
  equivalentResources,
  type GroupVersionResource,
  type MatchResources,
  type ResourceRule,
} from "../match-resources.ts";
import type { ParamKind, ParamRef } from "./policy-params.ts";

/** A binding of a policy, as it is stored. */
export interface PolicyBinding {
  readonly name: string;
  readonly match: MatchResources | undefined;
  readonly paramRef: ParamRef | undefined;
  readonly actions: readonly string[];
}

/** A policy in use: one that has bindings. */
export interface BoundPolicy<Compiled> {
  readonly name: string;
  readonly match: MatchResources;
  readonly paramKind: ParamKind | undefined;
  readonly ignoresFailure: boolean;
  readonly bindings: readonly PolicyBinding[];
  readonly compiled: Compiled;
}

/** Where policies and bindings are stored. */
export interface PolicyKinds {
  readonly policies: string;
  readonly bindings: string;
}

export class PolicySet<Compiled> {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #kinds: PolicyKinds;
  readonly #compile: (policy: KubeObject) => Compiled;
  /** What a stored policy compiles to: kept as long as the policy is. */
  readonly #compiled = new WeakMap<KubeObject, Compiled>();
  readonly #chosen = new Map<string, readonly BoundPolicy<Compiled>[]>();
  #policies: readonly BoundPolicy<Compiled>[] | undefined;
  #generation = -1;

  constructor(store: Store, registry: Registry, kinds: PolicyKinds, compile: (policy: KubeObject) => Compiled) {
    this.#store = store;
    this.#registry = registry;
    this.#kinds = kinds;
    this.#compile = compile;
    const forget = (): void => {
      this.#policies = undefined;
      this.#chosen.clear();
    };
    store.subscribe(kinds.policies, forget);
    store.subscribe(kinds.bindings, forget);
  }

  /** Policies that may be about writes of a resource or of its subresources; the rest of their rules is to be matched. */
  candidates(resource: GroupVersionResource, operation: AdmissionOperation): readonly BoundPolicy<Compiled>[] {
    const policies = this.#all();
    if (policies.length === 0) return policies;
    if (this.#registry.generation !== this.#generation) {
      this.#chosen.clear();
      this.#generation = this.#registry.generation;
    }
    const key = `${resource.group}/${resource.version}/${resource.resource} ${operation}`;
    let chosen = this.#chosen.get(key);
    if (chosen === undefined) {
      const names = [resource, ...equivalentResources(this.#registry, resource).map((other) => other.resource)];
      chosen = policies.filter(({ match }) => isAbout(match, names, operation));
      this.#chosen.set(key, chosen);
    }
    return chosen;
  }

  #all(): readonly BoundPolicy<Compiled>[] {
    this.#policies ??= this.#read();
    return this.#policies;
  }

  #read(): readonly BoundPolicy<Compiled>[] {
    const policies = this.#store.list(this.#kinds.policies);
    if (policies.length === 0) return [];
    const bindings = new Map<string, PolicyBinding[]>();
    for (const { object } of this.#store.list(this.#kinds.bindings)) {
      const { policyName, ...binding } = readBinding(object);
      bindings.set(policyName, [...(bindings.get(policyName) ?? []), binding]);
    }
    return policies.flatMap(({ object, name }) => {
      const own = bindings.get(name);
      return own === undefined ? [] : [this.#bound(object, own)];
    });
  }

  #bound(policy: KubeObject, bindings: readonly PolicyBinding[]): BoundPolicy<Compiled> {
    let compiled = this.#compiled.get(policy);
    if (compiled === undefined) {
      compiled = this.#compile(policy);
      this.#compiled.set(policy, compiled);
    }
    const spec = specOf(policy);
    return {
      name: policy.metadata.name ?? "",
      match: (spec["matchConstraints"] ?? {}) as MatchResources,
      paramKind: spec["paramKind"] as ParamKind | undefined,
      ignoresFailure: spec["failurePolicy"] === "Ignore",
      bindings,
      compiled,
    };
  }
}

/** The spec of a stored policy or binding, which was validated when it was written. */
export function specOf(object: KubeObject): JsonObject {
  return isObject(object["spec"]) ? (object["spec"] as JsonObject) : {};
}

function readBinding(object: KubeObject): PolicyBinding & { readonly policyName: string } {
  const spec = specOf(object);
  return {
    name: object.metadata.name ?? "",
    policyName: String(spec["policyName"] ?? ""),
    match: spec["matchResources"] as MatchResources | undefined,
    paramRef: spec["paramRef"] as ParamRef | undefined,
    actions: Array.isArray(spec["validationActions"]) ? spec["validationActions"].map(String) : [],
  };
}

function isAbout(
  { resourceRules = [] }: MatchResources,
  names: readonly GroupVersionResource[],
  operation: AdmissionOperation,
): boolean {
  const has = (items: readonly string[] | undefined, value: string): boolean =>
    items?.some((item) => item === "*" || item === value) === true;
  const about = (rule: ResourceRule, { group, version, resource }: GroupVersionResource): boolean =>
    has(rule.apiGroups, group) &&
    has(rule.apiVersions, version) &&
    has(
      rule.resources?.map((text) => text.split("/")[0]!),
      resource,
    );
  return resourceRules.some((rule) => has(rule.operations, operation) && names.some((name) => about(rule, name)));
}
