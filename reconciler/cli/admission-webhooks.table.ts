// The admission webhooks that we serve, named as Karmada's. Kinds of which Karmada has none follow the same pattern.

export interface ServedWebhook {
  readonly half: "mutate" | "validate";
  readonly name: string;
  /** After the half: `/mutate-work`. */
  readonly path: string;
  readonly group: string;
  readonly resource: string;
  readonly operations: readonly ("CREATE" | "UPDATE" | "DELETE")[];
  readonly scope: "Namespaced" | "Cluster" | "*";
  /** Only objects that have this label. */
  readonly label?: string;
  /** Absent: it has none. */
  readonly sideEffects?: "NoneOnDryRun";
}

/** Quotas are charged with what is written. */
const CHARGING = "resourcebindings";
const WRITES = ["CREATE", "UPDATE"] as const;
const POLICY = "policy.karmada.io";
const WORK = "work.karmada.io";
const AUTOSCALING = "autoscaling.karmada.io";
const GITOPS = "gitops.flaghoist.io";

type Row = readonly [
  half: "mutate" | "validate",
  name: string,
  path: string,
  group: string,
  resource: string,
  scope: "Namespaced" | "Cluster",
  operations?: readonly ("CREATE" | "UPDATE")[],
];

const ROWS: readonly Row[] = [
  ["mutate", "propagationpolicy.karmada.io", "propagationpolicy", POLICY, "propagationpolicies", "Namespaced"],
  [
    "mutate",
    "clusterpropagationpolicy.karmada.io",
    "clusterpropagationpolicy",
    POLICY,
    "clusterpropagationpolicies",
    "Cluster",
  ],
  ["mutate", "overridepolicy.karmada.io", "overridepolicy", POLICY, "overridepolicies", "Namespaced"],
  ["mutate", "resourcebinding.karmada.io", "resourcebinding", WORK, "resourcebindings", "Namespaced", ["CREATE"]],
  [
    "mutate",
    "clusterresourcebinding.karmada.io",
    "clusterresourcebinding",
    WORK,
    "clusterresourcebindings",
    "Cluster",
    ["CREATE"],
  ],
  ["mutate", "work.karmada.io", "work", WORK, "works", "Namespaced"],
  [
    "mutate",
    "multiclusterservice.karmada.io",
    "multiclusterservice",
    "networking.karmada.io",
    "multiclusterservices",
    "Namespaced",
  ],
  ["mutate", "cluster.karmada.io", "cluster", "cluster.karmada.io", "clusters", "Cluster"],
  ["validate", "propagationpolicy.karmada.io", "propagationpolicy", POLICY, "propagationpolicies", "Namespaced"],
  [
    "validate",
    "clusterpropagationpolicy.karmada.io",
    "clusterpropagationpolicy",
    POLICY,
    "clusterpropagationpolicies",
    "Cluster",
  ],
  ["validate", "overridepolicy.karmada.io", "overridepolicy", POLICY, "overridepolicies", "Namespaced"],
  [
    "validate",
    "clusteroverridepolicy.karmada.io",
    "clusteroverridepolicy",
    POLICY,
    "clusteroverridepolicies",
    "Cluster",
  ],
  ["validate", "clustertaintpolicy.karmada.io", "clustertaintpolicy", POLICY, "clustertaintpolicies", "Cluster"],
  [
    "validate",
    "federatedresourcequota.karmada.io",
    "federatedresourcequota",
    POLICY,
    "federatedresourcequotas",
    "Namespaced",
  ],
  ["validate", "resourcebinding.karmada.io", "resourcebinding", WORK, "resourcebindings", "Namespaced"],
  [
    "validate",
    "config.karmada.io",
    "resourceinterpreterwebhookconfiguration",
    "config.karmada.io",
    "resourceinterpreterwebhookconfigurations",
    "Cluster",
  ],
  [
    "validate",
    "resourceinterpretercustomization.karmada.io",
    "resourceinterpretercustomization",
    "config.karmada.io",
    "resourceinterpretercustomizations",
    "Cluster",
  ],
  ["validate", "federatedhpa.karmada.io", "federatedhpa", AUTOSCALING, "federatedhpas", "Namespaced"],
  ["validate", "cronfederatedhpa.karmada.io", "cronfederatedhpa", AUTOSCALING, "cronfederatedhpas", "Namespaced"],
  [
    "validate",
    "multiclusterservice.karmada.io",
    "multiclusterservice",
    "networking.karmada.io",
    "multiclusterservices",
    "Namespaced",
  ],
  ["validate", "cluster.karmada.io", "cluster", "cluster.karmada.io", "clusters", "Cluster"],
  ["validate", "gitrepository.flaghoist.io", "gitrepository", GITOPS, "gitrepositories", "Namespaced"],
  ["validate", "sync.flaghoist.io", "sync", GITOPS, "syncs", "Namespaced"],
];

export const SERVED_WEBHOOKS: readonly ServedWebhook[] = [
  ...ROWS.map(([half, name, path, group, resource, scope, operations = WRITES]) => ({
    half,
    name,
    path: `/${half}-${path}`,
    group,
    resource,
    scope,
    operations,
    ...(half === "validate" && resource === CHARGING ? { sideEffects: "NoneOnDryRun" as const } : {}),
  })),
  {
    half: "validate",
    name: "resourcedeletionprotection.karmada.io",
    path: "/validate-resourcedeletionprotection",
    group: "*",
    resource: "*",
    operations: ["DELETE"],
    scope: "*",
    label: "resourcetemplate.karmada.io/deletion-protected",
  },
];
