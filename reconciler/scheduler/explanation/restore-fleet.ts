// The fleet behind a record: clusters that the recorded decision cannot tell from those of then.

import type { Cluster, Taint } from "../../../api/cluster.ts";
import type { ObjectReference } from "../../../api/work.ts";
import { isObject } from "../../../kube/object.ts";
import { digestNames, LEFT_OUT, type Projection } from "./record-fleet.ts";
import { unfoldNames, unfoldRuns, unpack } from "./record-packing.ts";

export interface RestoredFleet {
  /** In the order of positions; absent when they were left out and nothing known has them. */
  readonly names: readonly string[] | undefined;
  /** Clusters that a decision cannot tell from those of then; absent when a column was left out. */
  readonly clusters: readonly Cluster[] | undefined;
  /** What was left out: `names`, `clusters`, `estimates`. */
  readonly without: readonly string[];
}

export interface RestoreRequest {
  /** How many clusters there were. */
  readonly size: number;
  readonly resource: Pick<ObjectReference, "apiVersion" | "kind">;
  /** Lists of names, sorted, among which the fleet's may be when the text has only their digest. */
  readonly knownNames: readonly (readonly string[])[];
  /** Pods that one replica, or one set of components, stands for. */
  readonly podsPerUnit: number;
  /** Estimates of clusters that only this binding may use, by name. */
  readonly roomOf: (names: readonly string[]) => ReadonlyMap<string, number>;
}

/** The fleet behind a text of `describeFleet`. Throws an Error that says which part is broken. */
export function restoreFleet(text: string, request: RestoreRequest): RestoredFleet {
  const parts = text.split(".");
  if (parts.length !== 3) throw new Error("it should have three parts: names, clusters, estimates");
  const [packedNames = "", packedClusters = "", packedRoom = ""] = parts;
  const { size } = request;
  const names = restoreNames(packedNames, request);
  const projections = packedClusters === LEFT_OUT ? undefined : restoreProjections(packedClusters, size);
  const room = packedRoom === LEFT_OUT ? undefined : restoreRoom(packedRoom, size);
  const without = [
    ...(names === undefined ? ["names"] : []),
    ...(projections === undefined ? ["clusters"] : []),
    ...(room === undefined ? ["estimates"] : []),
  ];
  if (names === undefined || projections === undefined || room === undefined) {
    return { names, clusters: undefined, without };
  }
  const own = request.roomOf(names);
  const clusters = names.map((name, position) => {
    const units = own.get(name) ?? room[position] ?? 0;
    return restoreCluster(name, projections[position] ?? {}, units * request.podsPerUnit, request.resource);
  });
  return { names, clusters, without };
}

function restoreNames(packed: string, { size, knownNames }: RestoreRequest): readonly string[] | undefined {
  if (packed.startsWith("="))
    return knownNames.find((names) => names.length === size && packed === `=${digestNames(names)}`);
  const names = unfoldNames(part("names", packed));
  if (names === undefined || names.length !== size) throw new Error(`its names are not those of ${size} clusters`);
  return names;
}

function restoreProjections(packed: string, size: number): readonly Projection[] {
  const value = part("clusters", packed);
  const [distinct, runs]: unknown[] = Array.isArray(value) ? value : [];
  const indices = unfoldRuns(runs, size);
  if (!Array.isArray(distinct) || indices === undefined) throw new Error(`its clusters are not ${size}`);
  return indices.map((index) => {
    const projection: unknown = distinct[index];
    if (!isObject(projection)) throw new Error("its clusters are incomplete");
    // Written by `project`; what is odd in it makes an odd cluster, not a wrong type that anything relies on.
    return projection as Projection;
  });
}

function restoreRoom(packed: string, size: number): readonly number[] {
  if (packed === "") return [];
  const value = part("estimates", packed);
  const pairs = isObject(value) ? value["at"] : undefined;
  const numbers: unknown = pairs ?? value;
  const isWhole = (entry: unknown): boolean => Number.isInteger(entry) && (entry as number) >= 0;
  if (!Array.isArray(numbers) || !numbers.every(isWhole) || (pairs === undefined && numbers.length !== size)) {
    throw new Error(`its estimates are not ${size} whole numbers`);
  }
  if (pairs === undefined) return numbers as number[];
  const room: number[] = new Array(size).fill(0);
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    const position = numbers[i] as number;
    if (position < size) room[position] = numbers[i + 1] as number;
  }
  return room;
}

function part(name: string, packed: string): unknown {
  try {
    return unpack(packed);
  } catch (error) {
    throw new Error(`its ${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function restoreCluster(
  name: string,
  projection: Projection,
  pods: number,
  resource: Pick<ObjectReference, "apiVersion" | "kind">,
): Cluster {
  const { d, n, l, r, p, z, t } = projection;
  const served = { groupVersion: resource.apiVersion, resources: [{ name: "", kind: resource.kind }] };
  const other = { groupVersion: "", resources: [] };
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: {
      name,
      ...(l === undefined ? {} : { labels: { ...l } }),
      ...(d === undefined ? {} : { deletionTimestamp: "1970-01-01T00:00:00Z" }),
    },
    spec: {
      syncMode: "Push",
      ...(r === undefined ? {} : { region: r }),
      ...(p === undefined ? {} : { provider: p }),
      ...(z === undefined ? {} : { zones: [...z] }),
      ...(t === undefined ? {} : { taints: t.map(restoreTaint) }),
    },
    status: {
      apiEnablements: n === undefined ? [served] : Array.from({ length: Math.min(n[0], 10_000) }, () => other),
      conditions:
        n?.[1] === 1
          ? [
              {
                type: "CompleteAPIEnablements",
                status: "True",
                reason: "",
                message: "",
                lastTransitionTime: "1970-01-01T00:00:00Z",
              },
            ]
          : [],
      resourceSummary: { allocatable: { pods: String(pods) } },
    },
  };
}

function restoreTaint([key, value, effect]: readonly [string, string, string]): Taint {
  // One of the three effects: it was read from a valid cluster.
  return { key, ...(value === "" ? {} : { value }), effect: effect as Taint["effect"] };
}
