// An agent's sign of life, renewed in the control plane.
import { isNotFound } from "../../../kube/client/status-error.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type Controller, type ControllerContext, LEASE_NAMESPACE } from "../context.ts";

/** The Lease of a cluster as Karmada's agent writes it; `nowMs` undefined: nobody has renewed it yet. */
export function clusterLease(name: string, durationMs: number, nowMs: number | undefined): KubeObject {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: LEASE_NAMESPACE },
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: Math.max(1, Math.round(durationMs / 1000)),
      // Microseconds, as the kind wants them.
      ...(nowMs === undefined ? {} : { renewTime: `${new Date(nowMs).toISOString().slice(0, -1)}000Z` }),
    },
  };
}

/**
 * Renews the Lease of `name` from now on, for as long as this process lives: whether the cluster itself is well is told by
 * its Ready condition. What cannot be written is tried again at the next turn.
 */
export function startClusterLease(context: ControllerContext, name: string): Controller {
  const { client, clock, logger, profile } = context;
  const { clusterLeaseDurationMs: durationMs, clusterLeaseRenewFraction } = profile;
  const abort = new AbortController();

  async function renew(): Promise<void> {
    const lease = clusterLease(name, durationMs, clock.now());
    const ref = { apiVersion: lease.apiVersion, kind: lease.kind, namespace: LEASE_NAMESPACE, name };
    // A request without an answer must not outlast the Lease.
    const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(durationMs)]);
    try {
      await client.patch(ref, { spec: lease["spec"] }, "merge", { fieldManager: "flaghoist-agent", signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await client.create(lease, { fieldManager: "flaghoist-agent", signal });
    }
  }

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        await renew();
      } catch (error) {
        if (!abort.signal.aborted) logger.warn("failed to renew the lease", { cluster: name, error: messageOf(error) });
      }
      await sleep(clock, durationMs * clusterLeaseRenewFraction, abort.signal);
    }
  }

  const running = run().catch((error: unknown) => {
    if (!abort.signal.aborted)
      logger.error("the lease is no longer renewed", { cluster: name, error: messageOf(error) });
  });
  return {
    stop: async () => {
      abort.abort(new AppError("stopped", "the lease was given up", { recovery: "retry" }));
      await running;
    },
  };
}
