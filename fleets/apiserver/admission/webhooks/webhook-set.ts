// The webhooks of the stored configurations, indexed so that writes that concern none cost nothing.
import { isObject, type JsonObject, type KubeObject } from "../../../../kube/object.ts";
import type { LabelSelector } from "../../../../kube/selectors.ts";
import type { AdmissionOperation } from "../../registry/admission.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Store } from "../../storage/store.ts";
import {
  equivalentResources,
  type GroupVersionResource,
  type MatchResources,
  type ResourceRule,
} from "../match-resources.ts";
import type { WebhookClientConfig } from "./client-config.ts";

/** A condition in CEL under which a webhook is asked. */
export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** One webhook of a configuration, with its defaults. */
export interface Webhook {
  /** Unique among all webhooks. */
  readonly id: string;
  readonly configuration: string;
  readonly name: string;
  readonly client: WebhookClientConfig;
  readonly match: MatchResources;
  readonly matchConditions: readonly MatchCondition[];
  readonly ignoresFailure: boolean;
  readonly sideEffects: string;
  readonly timeoutSeconds: number;
  readonly reviewVersions: readonly string[];
  /** Mutating webhooks: asked again when the object changed after their turn. */
  readonly reinvocable: boolean;
}

const DEFAULT_TIMEOUT_S = 10;

/** The webhooks of one half of admission, in the order in which they are asked: by the name of their configuration. */
export class WebhookSet {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #resource: string;
  #webhooks: readonly Webhook[] | undefined;
  /** By resource and operation. */
  readonly #chosen = new Map<string, readonly Webhook[]>();
  #generation = -1;

  /** `resource` is the storage key of the configurations. */
  constructor(store: Store, registry: Registry, resource: string) {
    this.#store = store;
    this.#registry = registry;
    this.#resource = resource;
    store.subscribe(resource, () => {
      this.#webhooks = undefined;
      this.#chosen.clear();
    });
  }

  /** Webhooks that may be about writes of a resource or of its subresources; the rest of their rules is to be matched. */
  candidates(resource: GroupVersionResource, operation: AdmissionOperation): readonly Webhook[] {
    const webhooks = this.#all();
    if (webhooks.length === 0) return webhooks;
    if (this.#registry.generation !== this.#generation) {
      // Other versions of a resource may have come or gone.
      this.#chosen.clear();
      this.#generation = this.#registry.generation;
    }
    const key = `${resource.group}/${resource.version}/${resource.resource} ${operation}`;
    let chosen = this.#chosen.get(key);
    if (chosen === undefined) {
      const names = [resource, ...equivalentResources(this.#registry, resource).map((other) => other.resource)];
      chosen = webhooks.filter((webhook) => isAbout(webhook, names, operation));
      this.#chosen.set(key, chosen);
    }
    return chosen;
  }

  #all(): readonly Webhook[] {
    // The store lists in the order of names.
    this.#webhooks ??= this.#store.list(this.#resource).flatMap(({ object }) => webhooksOf(object));
    return this.#webhooks;
  }
}

function isAbout({ match }: Webhook, names: readonly GroupVersionResource[], operation: AdmissionOperation): boolean {
  const has = (items: readonly string[] | undefined, value: string): boolean =>
    items?.some((item) => item === "*" || item === value) === true;
  return (match.resourceRules ?? []).some(
    (rule) =>
      has(rule.operations, operation) &&
      names.some(
        ({ group, version, resource }) =>
          has(rule.apiGroups, group) &&
          has(rule.apiVersions, version) &&
          has(
            rule.resources?.map((text) => text.split("/")[0]!),
            resource,
          ),
      ),
  );
}

/** Reads a stored configuration, which was defaulted and validated when it was written. */
export function webhooksOf(configuration: KubeObject): Webhook[] {
  const name = configuration.metadata.name ?? "";
  const list = Array.isArray(configuration["webhooks"]) ? configuration["webhooks"].filter(isObject) : [];
  return list.flatMap((webhook, index) => {
    // Typed by the field table.
    const raw = webhook as JsonObject & { readonly rules?: readonly ResourceRule[] };
    const { rules = [] } = raw;
    // Without rules it is about nothing.
    if (rules.length === 0) return [];
    return [
      {
        id: `${name}/${String(raw["name"])}/${index}`,
        configuration: name,
        name: String(raw["name"]),
        client: raw["clientConfig"] as WebhookClientConfig,
        match: {
          resourceRules: rules,
          namespaceSelector: (raw["namespaceSelector"] ?? {}) as LabelSelector,
          objectSelector: (raw["objectSelector"] ?? {}) as LabelSelector,
          matchPolicy: String(raw["matchPolicy"] ?? "Equivalent"),
        },
        matchConditions: (raw["matchConditions"] ?? []) as unknown as readonly MatchCondition[],
        ignoresFailure: raw["failurePolicy"] === "Ignore",
        sideEffects: String(raw["sideEffects"] ?? ""),
        timeoutSeconds: typeof raw["timeoutSeconds"] === "number" ? raw["timeoutSeconds"] : DEFAULT_TIMEOUT_S,
        reviewVersions: Array.isArray(raw["admissionReviewVersions"]) ? raw["admissionReviewVersions"].map(String) : [],
        reinvocable: raw["reinvocationPolicy"] === "IfNeeded",
      },
    ];
  });
}
