// npm run bench -- overrides [SECONDS]: one Deployment, 20 override policies of its namespace of which five match.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../api/cluster.ts";
import type { OverridePolicy } from "../../api/policy.ts";
import { cloneJson, type KubeObject } from "../../kube/object.ts";
import { applyOverrides } from "../../reconciler/overrides/apply-overrides.ts";

interface Input {
  readonly cluster: Cluster;
  readonly object: KubeObject;
  readonly policies: readonly OverridePolicy[];
}

/** Objects per CPU second that Karmada 1.18 was recorded to override, with its policies listed from memory. */
const KARMADA_PER_CPU_SECOND = 490;

export async function run(args: readonly string[]): Promise<void> {
  const seconds = Number(args[0] ?? 5);
  // Our own file, in this form.
  const input = JSON.parse(readFileSync(join(import.meta.dirname, "overrides.input.json"), "utf8")) as Input;
  report("policies and object kept in memory", seconds, () => override(input));
  report("policies and object copied every time", seconds, () => override(cloneJson(input)));
}

function override({ object, cluster, policies }: Input): number {
  const result = applyOverrides({ object, cluster, clusterOverridePolicies: [], overridePolicies: policies });
  return result.applied.length;
}

function report(what: string, seconds: number, operation: () => number): void {
  for (let i = 0; i < 2000; i++) operation();
  const started = process.cpuUsage();
  const begin = performance.now();
  let operations = 0;
  let applied = 0;
  while (performance.now() - begin < seconds * 1000) {
    for (let i = 0; i < 500; i++) applied += operation();
    operations += 500;
  }
  const used = process.cpuUsage(started);
  const perCpuSecond = operations / ((used.user + used.system) / 1e6);
  const perSecond = operations / ((performance.now() - begin) / 1000);
  process.stdout.write(
    `${what}: ${perCpuSecond.toFixed(0)} objects per CPU second (${perSecond.toFixed(0)} per second, ` +
      `${applied / operations} rules each); Karmada ${KARMADA_PER_CPU_SECOND}: ` +
      `${(perCpuSecond / KARMADA_PER_CPU_SECOND).toFixed(0)} times as many\n`,
  );
}
