import type { Cluster } from "../../../api/cluster.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import type { AnyOverridePolicy } from "../../../reconciler/overrides/order.ts";
import { OverridePolicyIndex } from "../../../reconciler/overrides/override-policies.ts";
import type { AnyBinding } from "../../../reconciler/works/binding.ts";
import { buildWorks } from "../../../reconciler/works/work.ts";
import { caseSuite } from "../karmada-cases.ts";
import type { Suite } from "../suite.ts";

export interface WorkInput {
  readonly binding: AnyBinding;
  readonly template: KubeObject;
  readonly clusters: readonly Cluster[];
  readonly overridePolicies: readonly AnyOverridePolicy[] | null;
}

const interpreter = createInterpreter({ native: nativeLevel() });

/** The Works we would write; the error of every cluster that gets none. */
export function answerWork({ binding, template, clusters, overridePolicies: recorded }: WorkInput): unknown {
  const { works, failures } = buildWorks({
    binding,
    template,
    clusterOf: (name) => clusters.find((cluster) => cluster.metadata.name === name),
    overridePolicies: new OverridePolicyIndex(recorded ?? []),
    interpreter,
  });
  const written = works.map(({ work }) => ({ ...work, status: {} }));
  return {
    works: written.sort((a, b) => ((a.metadata.namespace ?? "") < (b.metadata.namespace ?? "") ? -1 : 1)),
    ...(failures.length === 0 ? {} : { error: failures.map(({ error }) => error.message).join("; ") }),
  };
}

export const suite: Suite = caseSuite<WorkInput>("work.json", answerWork);
