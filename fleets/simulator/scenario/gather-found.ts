// Looks at clusters for what a scenario expects of them.
import type { FleetExpectation } from "../../../api/fleet-timeline.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import type { Found } from "./judge-expectation.ts";

/** Clusters that are read at the same time. */
const CLUSTERS_AT_ONCE = 16;
/** How long an answer may take, on the fleet's clock. */
const LONGEST_ANSWER_MS = 10_000;

/** The objects of an expectation's kind, by cluster. A kind that a cluster does not serve has none. */
export async function gatherFound(
  { apiVersion = "", kind = "", namespace }: FleetExpectation,
  clusters: readonly { readonly name: string; readonly client: KubeClient }[],
): Promise<Found[]> {
  return mapLimit(clusters, CLUSTERS_AT_ONCE, async ({ name, client }) => {
    const { items } = await client.list(apiVersion, kind, { namespace });
    return { cluster: name, objects: items };
  });
}

/** Whether the API server answers to the control plane that it is alive, within ten seconds of the fleet's clock. */
export async function isReachable(transport: Transport, clock: Clock): Promise<boolean> {
  const abort = new AbortController();
  const timer = clock.after(LONGEST_ANSWER_MS, () => abort.abort(new Error("no answer")));
  try {
    const answer = await transport({ method: "GET", path: "/version", signal: abort.signal });
    return answer.status < 500;
  } catch {
    return false;
  } finally {
    timer.cancel();
  }
}
