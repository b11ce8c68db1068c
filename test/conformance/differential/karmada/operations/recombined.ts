// Questions put together from the parts of recorded ones: what their authors thought of, in company they never had.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../../../../api/cluster.ts";
import { isObject } from "../../../../../kube/object.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import type { Operation } from "../operation.ts";

type Json = Readonly<Record<string, unknown>>;

const VECTORS = join(import.meta.dirname, "..", "..", "..", "vectors", "karmada");

function readJson<T>(file: string): T {
  // Recorded in this form.
  return JSON.parse(readFileSync(join(VECTORS, file), "utf8")) as T;
}

/** One of the list, with some fields as others of the list have them, or without them where they have none. */
function mix(dice: Dice, list: readonly Json[], share: number): Json {
  const mixed: Record<string, unknown> = { ...dice.pick(list) };
  const keys = new Set([...Object.keys(mixed), ...Object.keys(dice.pick(list)), ...Object.keys(dice.pick(list))]);
  for (const key of keys) {
    if (!dice.chance(share)) continue;
    const other = dice.pick(list)[key];
    if (other === undefined) delete mixed[key];
    else mixed[key] = other;
  }
  return structuredClone(mixed);
}

function objectsAt(list: readonly Json[], ...path: readonly string[]): Json[] {
  return list
    .map((item) => path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), item))
    .filter(isObject);
}

/** The value with names of clusters of other fleets replaced by names of this one. */
function renamed(value: unknown, known: ReadonlySet<string>, names: readonly string[], dice: Dice): unknown {
  if (typeof value === "string") {
    return known.has(value) && !names.includes(value) && names.length > 0 && dice.chance(0.9)
      ? dice.pick(names)
      : value;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => renamed(item, known, names, dice));
    // Lists of clusters have every cluster once.
    const seen = new Set<string>();
    return items.filter((item) => {
      const key = isObject(item) ? (item["fromCluster"] ?? item["name"]) : undefined;
      if (typeof key !== "string" || !(known.has(key) || names.includes(key))) return true;
      return !seen.has(key) && seen.add(key) !== undefined;
    });
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, renamed(inner, known, names, dice)]));
}

/** A pair that admission allows: one of the two affinities, and overflow only where it may stand. */
function reconciled(placement: Record<string, unknown>, dice: Dice): Json {
  if (placement["clusterAffinity"] !== undefined && placement["clusterAffinities"] !== undefined) {
    delete placement[dice.pick(["clusterAffinity", "clusterAffinities"])];
  }
  return placement;
}

/** Bindings over fleets, in the form of an operation that has both. */
function fleetQuestions(file: string, wrap: (dice: Dice, parts: FleetParts) => Json): Operation<unknown>["ask"] {
  let loaded: { cases: Json[]; fleets: { clusters: Cluster[] }[]; known: Set<string> } | undefined;
  return (dice) => {
    loaded ??= {
      cases: objectsAt(readJson<Json[]>(file), "input"),
      fleets: readJson("scheduler-fleets.json"),
      known: new Set(),
    };
    const { cases, fleets, known } = loaded;
    if (known.size === 0) {
      for (const { clusters } of fleets) for (const { metadata } of clusters) known.add(metadata.name ?? "");
    }
    const together = dice.chance(0.5) ? [dice.pick(fleets), dice.pick(fleets), dice.pick(fleets)] : [dice.pick(fleets)];
    const byName = new Map(together.flatMap(({ clusters }) => clusters).map((one) => [one.metadata.name ?? "", one]));
    const clusters = [...byName.values()];
    const names = [...byName.keys()];
    const fleet = `fleet-${dice.between(0, 1e9)}`;
    return Array.from({ length: 10 }, () => ({
      clusters,
      input: renamed({ ...wrap(dice, { cases }), fleet }, known, names, dice),
    }));
  };
}

interface FleetParts {
  readonly cases: readonly Json[];
}

function mixedSpec(dice: Dice, cases: readonly Json[], path: readonly string[]): Json {
  const specs = objectsAt(cases, ...path, "spec");
  const placement = mix(dice, objectsAt(specs, "placement"), 0.4);
  return { ...mix(dice, specs, 0.35), placement: reconciled({ ...placement }, dice) };
}

export const askRecombinedSchedule = fleetQuestions("scheduler.json", (dice, { cases }) => ({
  ...mix(dice, cases, 0.2),
  spec: mixedSpec(dice, cases, []),
  status: mix(dice, objectsAt(cases, "status"), 0.3),
}));

export const askRecombinedProcess = fleetQuestions("scheduler-process.json", (dice, { cases }) => {
  const base = dice.pick(objectsAt(cases, "binding"));
  const spec = mixedSpec(dice, cases, ["binding"]);
  const metadata = mix(dice, objectsAt(cases, "binding", "metadata"), 0.3);
  const annotations = isObject(metadata["annotations"]) ? { ...metadata["annotations"] } : {};
  const applied = "policy.karmada.io/applied-placement";
  // Mostly what is wanted now, else the pass would always be for a changed placement.
  if (dice.chance(0.5)) annotations[applied] = JSON.stringify(spec["placement"]);
  return {
    binding: {
      ...base,
      metadata: {
        ...metadata,
        annotations,
        labels: { "propagationpolicy.karmada.io/permanent-id": "433df18e-c50d-4b1d-ac1d-e748b5235c02" },
      },
      spec,
      status: mix(dice, objectsAt(cases, "binding", "status"), 0.3),
    },
  };
});

export function askRecombinedAdmission(dice: Dice): { input: Json }[] {
  const inputs = objectsAt(readJson<Json[]>("policy-admission.json"), "input");
  return Array.from({ length: 60 }, () => {
    const base = dice.pick(inputs);
    const policy = base["policy"] as { readonly kind: string; readonly spec: Json };
    const isAlike = (input: Json): boolean =>
      (input["policy"] as typeof policy).kind.endsWith("OverridePolicy") === policy.kind.endsWith("OverridePolicy");
    const specs = objectsAt(inputs.filter(isAlike), "policy", "spec");
    const placements = objectsAt(specs, "placement");
    const spec = mix(dice, specs, 0.4);
    return {
      input: {
        ...base,
        policy: {
          ...policy,
          spec: placements.length === 0 ? spec : { ...spec, placement: mix(dice, placements, 0.4) },
        },
      },
    };
  });
}

export function askRecombinedBinding(dice: Dice): { input: Json }[] {
  const inputs = objectsAt(readJson<Json[]>("binding.json"), "input");
  return Array.from({ length: 30 }, () => {
    const { template, policy } = { template: dice.pick(inputs)["template"], policy: dice.pick(inputs)["policy"] };
    const [object, chosen] = [template, policy] as [{ metadata: Json }, { kind: string; metadata: Json; spec: Json }];
    const namespace = object.metadata["namespace"];
    const isWide = namespace === undefined;
    const spec = mix(dice, objectsAt(inputs, "policy", "spec"), 0.3);
    const wide = inputs.map((input) => input["policy"] as typeof chosen).find((one) => one.kind.startsWith("Cluster"));
    const usable = isWide && !chosen.kind.startsWith("Cluster") ? (wide ?? chosen) : chosen;
    return { input: { template, policy: { ...usable, spec } } };
  });
}

export function askRecombinedOverride(dice: Dice): { input: Json }[] {
  const inputs = objectsAt(readJson<Json[]>("override.json"), "input");
  const policies = inputs.flatMap((input) => input["policies"] as Json[]);
  return Array.from({ length: 30 }, () => {
    const object = dice.pick(inputs)["object"] as Json;
    const own = inputs.filter((input) => (input["object"] as Json)["kind"] === object["kind"]);
    const some = Array.from({ length: dice.between(2, 6) }, (_, index) => {
      const policy = dice.pick(dice.chance(0.7) ? own.flatMap((input) => input["policies"] as Json[]) : policies);
      // Two of one name would not both be stored.
      const metadata = { ...(policy["metadata"] as Json), name: `${dice.pick(["a", "m", "z"])}-${index}` };
      return { ...policy, metadata, spec: mix(dice, objectsAt(policies, "spec"), dice.chance(0.5) ? 0.3 : 0) };
    });
    // Half of them mean this object, whatever they were written for.
    const { apiVersion, kind } = object;
    const meant = some.map((policy) =>
      dice.chance(0.5) ? { ...policy, spec: { ...policy.spec, resourceSelectors: [{ apiVersion, kind }] } } : policy,
    );
    return { input: { object, cluster: dice.pick(inputs)["cluster"], policies: meant } as Json };
  });
}

export function askRecombinedMatch(dice: Dice): { input: Json }[] {
  const inputs = objectsAt(readJson<Json[]>("matching.json"), "input");
  const having = (key: string): Json[] => inputs.filter((input) => input[key] !== undefined);
  const resource = (): unknown => dice.pick(having("resource"))["resource"];
  const policies = having("policies").flatMap((input) => input["policies"] as Json[]);
  const spread = (): unknown[] => {
    const some = Array.from({ length: dice.between(1, 14) }, () => dice.pick(policies));
    const nameOf = (policy: Json): string =>
      `${policy["kind"]}/${(policy["metadata"] as Json)["namespace"] ?? ""}/${(policy["metadata"] as Json)["name"]}`;
    return [...new Map(some.map((policy) => [nameOf(policy), policy])).values()];
  };
  return Array.from({ length: 90 }, (_, i) => {
    if (i % 3 === 0)
      return { input: { resource: resource(), selector: mix(dice, objectsAt(having("selector"), "selector"), 0.3) } };
    if (i % 3 === 1) {
      const cluster = dice.pick(having("cluster"))["cluster"];
      return { input: { cluster, affinity: mix(dice, objectsAt(having("affinity"), "affinity"), 0.4) } };
    }
    return { input: { resource: resource(), policies: spread() } };
  });
}

export function askRecombinedEstimate(dice: Dice): { input: Json }[] {
  const inputs = objectsAt(readJson<Json[]>("estimator.json"), "input");
  return Array.from({ length: 30 }, () => {
    const { clusters, assumedWorkloads, ...asked } = dice.pick(inputs);
    const given = dice.pick(inputs);
    const list = given["clusters"] as Cluster[];
    const flying = dice.chance(0.5) ? Object.values((assumedWorkloads ?? given["assumedWorkloads"] ?? {}) as Json) : [];
    const gates = { ...(asked["featureGates"] as Json), SchedulingOvercommitProtection: true };
    const assumed = Object.fromEntries(
      list.flatMap(({ metadata }) =>
        flying.length > 0 && dice.chance(0.6) ? [[metadata.name, dice.pick(flying)]] : [],
      ),
    );
    return {
      input: {
        ...asked,
        clusters: list,
        ...(flying.length > 0 ? { assumedWorkloads: assumed, featureGates: gates } : {}),
      },
    };
  });
}
