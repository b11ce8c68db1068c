// What the users of a chaotic fleet want, and what that means for a member: worked out naively, beside our own code.
import type { KubeObject } from "../../kube/object.ts";
import type { Random } from "../../runtime/random.ts";

export const KINDS = ["Deployment", "ConfigMap", "Secret", "Service", "ClusterRole"] as const;
export type AppKind = (typeof KINDS)[number];

export const API_OF: Readonly<Record<AppKind, string>> = {
  Deployment: "apps/v1",
  ConfigMap: "v1",
  Secret: "v1",
  Service: "v1",
  ClusterRole: "rbac.authorization.k8s.io/v1",
};
export const RESOURCE_OF: Readonly<Record<AppKind, string>> = {
  Deployment: "apps/deployments",
  ConfigMap: "configmaps",
  Secret: "secrets",
  Service: "services",
  ClusterRole: "rbac.authorization.k8s.io/clusterroles",
};
export const NAMESPACES = ["shop", "bank"] as const;

/** One template with the policies that are about it. */
export interface App {
  readonly kind: AppKind;
  readonly namespace: string | undefined;
  readonly name: string;
  /** Who writes it to the control plane. */
  readonly via: "git" | "user";
  /** Nobody ever deletes it or places it elsewhere, so nobody ever has a reason to delete a copy. */
  readonly isSteady: boolean;
  version: number;
  replicas: number;
  clusters: readonly string[];
  /** Its replicas are divided over its clusters; else each of them has all. */
  readonly isDivided: boolean;
  /** Clusters whose copies have their image from another registry. */
  mirrored: readonly string[];
  /** New versions reach its first cluster before the others, and those one after the other. */
  readonly isStaged: boolean;
  /** Its wave in the Sync; undefined for one that has no word about that. */
  readonly wave: number | undefined;
  /** What others change in its copies is told of, and stays. */
  reportsDrift: boolean;
  exists: boolean;
}

/** A random one. */
export function makeApp(random: Random, name: string, clusters: readonly string[], isSteady: boolean): App {
  const kind = random.pick(KINDS);
  return {
    kind,
    namespace: kind === "ClusterRole" ? undefined : random.pick(NAMESPACES),
    name,
    via: random.chance(0.5) ? "git" : "user",
    isSteady,
    version: 1,
    replicas: 1 + random.below(9),
    clusters: random.some(clusters, 1),
    isDivided: kind === "Deployment" && random.chance(0.4),
    mirrored: kind === "Deployment" && random.chance(0.4) ? random.some(clusters, 1) : [],
    isStaged: kind === "Deployment" && random.chance(0.4),
    wave: random.chance(0.5) ? random.below(3) : undefined,
    reportsDrift: false,
    exists: true,
  };
}

/** Everything that its author writes. */
export function objectsOf(app: App): KubeObject[] {
  const { kind, name, namespace, clusters, isDivided, mirrored } = app;
  const selectors = [{ apiVersion: API_OF[kind], kind, name, ...(namespace === undefined ? {} : { namespace }) }];
  const policyName = `${name}-policy`;
  const placement = {
    clusterAffinity: { clusterNames: [...clusters] },
    ...(isDivided
      ? {
          replicaScheduling: {
            replicaSchedulingType: "Divided",
            replicaDivisionPreference: "Weighted",
          },
        }
      : {}),
    ...(app.isStaged ? { flaghoist: { rollout: rolloutOf(clusters) } } : {}),
  };
  const policy = {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: namespace === undefined ? "ClusterPropagationPolicy" : "PropagationPolicy",
    metadata: { name: policyName, ...(namespace === undefined ? {} : { namespace }) },
    spec: { resourceSelectors: selectors, placement },
  };
  if (kind !== "Deployment") return [templateOf(app), policy];
  const override = {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name: `${name}-mirror`, ...(namespace === undefined ? {} : { namespace }) },
    spec: {
      resourceSelectors: selectors,
      overrideRules: [
        {
          // No cluster has the second name: a policy for nobody.
          targetCluster: { clusterNames: mirrored.length === 0 ? ["nowhere"] : [...mirrored] },
          overriders: { imageOverrider: [{ component: "Registry", operator: "replace", value: "mirror.example" }] },
        },
      ],
    },
  };
  return [templateOf(app), policy, override];
}

function rolloutOf([first = ""]: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    waves: [{ name: "first", clusterAffinity: { clusterNames: [first] } }, { name: "rest" }],
    maxConcurrency: 1,
    minSuccessTime: "2s",
    progressDeadline: "3m",
    skipUnavailableAfter: "1m",
  };
}

/** The template alone. */
export function templateOf(app: App): KubeObject {
  const { kind, name, namespace, wave, reportsDrift } = app;
  const annotations = {
    ...(wave === undefined ? {} : { "argocd.argoproj.io/sync-wave": String(wave) }),
    ...(reportsDrift ? { "gitops.flaghoist.io/drift": "report" } : {}),
  };
  return {
    apiVersion: API_OF[kind],
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels: { app: name }, annotations },
    ...contentOf(app, undefined),
  };
}

/** What a copy must have, at least, in a cluster; a divided one has its own share of replicas. */
export function contentOf(app: App, cluster: string | undefined): Readonly<Record<string, unknown>> {
  const { kind, name, version } = app;
  const text = `v${version}`;
  switch (kind) {
    case "Deployment": {
      const registry = cluster !== undefined && app.mirrored.includes(cluster) ? "mirror.example" : "hub.example";
      const whole = cluster === undefined || !app.isDivided;
      return {
        spec: {
          ...(whole ? { replicas: app.replicas } : {}),
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: "main", image: `${registry}/${name}:${text}` }] },
          },
        },
      };
    }
    case "ConfigMap":
      return { data: { version: text, [`key-${text}`]: "yes" } };
    case "Secret":
      return { type: "Opaque", data: { version: Buffer.from(text).toString("base64") } };
    case "Service":
      return { spec: { selector: { app: name }, ports: [{ name: "web", port: 8000 + version }] } };
    case "ClusterRole":
      return { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"], resourceNames: [text] }] };
  }
}

/** Which version an object has; 0 for none of ours. */
export function versionOf(object: KubeObject | undefined): number {
  const text = ((): unknown => {
    switch (object?.kind) {
      case "Deployment": {
        const spec = object["spec"] as { template?: { spec?: { containers?: { image?: string }[] } } } | undefined;
        return spec?.template?.spec?.containers?.[0]?.image?.split(":").at(-1);
      }
      case "ConfigMap":
        return (object["data"] as { version?: string } | undefined)?.version;
      case "Secret":
        return Buffer.from((object["data"] as { version?: string } | undefined)?.version ?? "", "base64").toString();
      case "Service": {
        const port = (object["spec"] as { ports?: { port: number }[] } | undefined)?.ports?.[0]?.port;
        return `v${(port ?? 8000) - 8000}`;
      }
      case "ClusterRole":
        return (object["rules"] as { resourceNames?: string[] }[] | undefined)?.[0]?.resourceNames?.[0];
    }
    return undefined;
  })();
  return Number(/^v(\d+)$/.exec(String(text))?.[1] ?? 0);
}

/** `shop/web`, `web`: within its resource. */
export function pathOf({
  namespace,
  name,
}: {
  readonly namespace?: string | undefined;
  readonly name: string;
}): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Where `found` lacks what `wanted` has: paths. Lists must be equal in length. */
export function lacks(wanted: unknown, found: unknown, path = ""): string[] {
  if (typeof wanted !== "object" || wanted === null)
    return wanted === found ? [] : [`${path} is ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`];
  if (Array.isArray(wanted)) {
    if (!Array.isArray(found) || found.length !== wanted.length) return [`${path} is not the wanted list`];
    return wanted.flatMap((item, index) => lacks(item, found[index], `${path}[${index}]`));
  }
  if (typeof found !== "object" || found === null) return [`${path} is ${JSON.stringify(found)}`];
  const fields: Readonly<Record<string, unknown>> = { ...found };
  return Object.entries(wanted).flatMap(([key, value]) =>
    lacks(value, fields[key], path === "" ? key : `${path}.${key}`),
  );
}
