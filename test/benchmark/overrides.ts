// npm run bench -- overrides [SECONDS]: one Deployment, 20 override policies of its namespace of which five match; then
// many clusters, and very many policies.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../api/cluster.ts";
import type { OverridePolicy } from "../../api/policy.ts";
import { cloneJson, type KubeObject } from "../../kube/object.ts";
import { applyOverrides, ObjectOverrides } from "../../reconciler/overrides/apply-overrides.ts";
import { listedOverridePolicies, OverridePolicyIndex } from "../../reconciler/overrides/override-policies.ts";
import { findOracle, Oracle } from "../conformance/differential/karmada/oracle.ts";

interface Input {
  readonly cluster: Cluster;
  readonly object: KubeObject;
  readonly policies: readonly OverridePolicy[];
}

/** Objects per CPU second that Karmada 1.18 was recorded to override, with its policies listed from memory. */
const RECORDED_PER_CPU_SECOND = 490;
const MANY_CLUSTERS = 1_000;
const MANY_POLICIES = 5_000;

export async function run(args: readonly string[]): Promise<void> {
  const seconds = Number(args[0] ?? 5);
  // Our own file, in this form.
  const input = JSON.parse(readFileSync(join(import.meta.dirname, "overrides.input.json"), "utf8")) as Input;
  const karmada = await measureKarmada(input, seconds);
  const peer = karmada ?? RECORDED_PER_CPU_SECOND;
  write("Karmada 1.18", peer, karmada === undefined ? "as recorded" : "in this run");

  const each = (what: string, operation: () => number): void => {
    const figure = measure(seconds, operation);
    write(
      what,
      figure.perCpuSecond,
      `${(figure.perCpuSecond / peer).toFixed(0)} times as many, ${figure.rules} rules each`,
    );
  };
  each("policies and object kept in memory", () => override(input, undefined));
  each("the same, as compatibility flaghoist", () => override(input, "flaghoist"));
  each("policies and object copied every time", () => override(cloneJson(input), undefined));

  const clusters = Array.from({ length: MANY_CLUSTERS }, (_, number) => clusterLike(input.cluster, number));
  const few = listedOverridePolicies([], input.policies);
  const index = new OverridePolicyIndex([...input.policies, ...othersLike(input.policies)]);
  const everywhere = (what: string, policies: typeof few): void => {
    const figure = measure(
      seconds,
      () => {
        const overrides = new ObjectOverrides(policies);
        let rules = 0;
        for (const cluster of clusters) rules += overrides.apply(input.object, cluster).applied.length;
        return rules / MANY_CLUSTERS;
      },
      1,
    );
    write(
      what,
      figure.perCpuSecond * MANY_CLUSTERS,
      `copies; ${(1e3 / figure.perCpuSecond).toFixed(1)} ms for all clusters`,
    );
  };
  everywhere(`one object in ${MANY_CLUSTERS} clusters`, few);
  everywhere(`the same among ${MANY_POLICIES} policies`, index);
}

function override({ object, cluster, policies }: Input, compatibility: "flaghoist" | undefined): number {
  const request = { object, cluster, clusterOverridePolicies: [], overridePolicies: policies, compatibility };
  return applyOverrides(request).applied.length;
}

function clusterLike(cluster: Cluster, number: number): Cluster {
  return { ...cluster, metadata: { ...cluster.metadata, name: `member-${String(number).padStart(5, "0")}` } };
}

/** Policies of the same namespace for other objects, and of other namespaces. */
function othersLike([one]: readonly OverridePolicy[]): OverridePolicy[] {
  if (one === undefined) return [];
  return Array.from({ length: MANY_POLICIES }, (_, number) => ({
    ...one,
    metadata: {
      ...one.metadata,
      name: `other-${number}`,
      ...(number % 2 === 0 ? {} : { namespace: `n${number % 100}` }),
    },
    spec: {
      ...one.spec,
      resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment", name: `app-${number}` }],
    },
  }));
}

interface Figure {
  readonly perCpuSecond: number;
  readonly rules: number;
}

function measure(seconds: number, operation: () => number, batch = 200): Figure {
  for (let warm = 0; warm < 5 * batch; warm++) operation();
  const started = process.cpuUsage();
  const begin = performance.now();
  let operations = 0;
  let rules = 0;
  while (performance.now() - begin < seconds * 1000) {
    for (let i = 0; i < batch; i++) rules += operation();
    operations += batch;
  }
  const used = process.cpuUsage(started);
  return { perCpuSecond: operations / ((used.user + used.system) / 1e6), rules: rules / operations };
}

function write(what: string, perCpuSecond: number, rest: string): void {
  process.stdout.write(`${what.padEnd(42)} ${perCpuSecond.toFixed(0).padStart(9)} objects per CPU second; ${rest}\n`);
}

/** The real Karmada where its program is built (test/conformance/differential/karmada-oracle/build). */
async function measureKarmada(input: Input, seconds: number): Promise<number | undefined> {
  const path = findOracle();
  if (path === undefined) return undefined;
  const oracle = new Oracle(path);
  try {
    const { answer } = await oracle.ask("bench-override", { ...input, seconds });
    const figure = answer?.["perCpuSecond"];
    return typeof figure === "number" ? figure : undefined;
  } finally {
    oracle.close();
  }
}
