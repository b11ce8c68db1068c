// The built-in kinds that the server offers.
import type { KindStrategy } from "../registry/kind.ts";
import { BuiltinKind } from "./builtin-kind.ts";
import { CLUSTER_CELLS } from "./cells-cluster.ts";
import { CORE_CELLS } from "./cells-core.ts";
import { NETWORK_CELLS } from "./cells-network.ts";
import { podCells } from "./cells-pods.ts";
import { WORKLOAD_CELLS } from "./cells-workloads.ts";
import type { KindRules } from "./kind-rules.ts";
import { ACCESS_RULES } from "./rules-access.ts";
import { CLUSTER_RULES } from "./rules-cluster.ts";
import { CORE_RULES } from "./rules-core.ts";
import { NETWORK_RULES } from "./rules-network.ts";
import { WORKLOAD_RULES } from "./rules-workloads.ts";
import { resourceRows } from "./tables.ts";

/** Groups of the tables that are not served: they have no schemas here and no use without their controllers. */
const LEFT_OUT_GROUPS: ReadonlySet<string> = new Set(["resource.k8s.io", "flowcontrol.apiserver.k8s.io"]);
const LEFT_OUT_RESOURCES: ReadonlySet<string> = new Set(["ipaddresses", "servicecidrs"]);

const RULES: Readonly<Record<string, KindRules>> = {
  ...CORE_RULES,
  ...WORKLOAD_RULES,
  ...NETWORK_RULES,
  ...ACCESS_RULES,
  ...CLUSTER_RULES,
};

const CELLS: Readonly<Record<string, NonNullable<KindRules["cells"]>>> = {
  "/v1/Pod": podCells,
  ...CORE_CELLS,
  ...WORKLOAD_CELLS,
  ...NETWORK_CELLS,
  ...CLUSTER_CELLS,
};

let kinds: readonly KindStrategy[] | undefined;

/** All built-in kinds in the order of discovery. Built once; the strategies hold no state of a store. */
export function builtinKinds(): readonly KindStrategy[] {
  kinds ??= resourceRows()
    .filter((row) => !LEFT_OUT_GROUPS.has(row.group) && !LEFT_OUT_RESOURCES.has(row.resource))
    .map((row) => {
      const key = `${row.group}/${row.version}/${row.kind}`;
      const cells = CELLS[key];
      return new BuiltinKind(row, { ...RULES[key], ...(cells === undefined ? {} : { cells }) });
    });
  return kinds;
}
