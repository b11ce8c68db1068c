// A real cluster, by kubeconfig, for scripts.
import { openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { type Change, FOLLOWED } from "./observer.ts";
import type { WorkloadTarget } from "./target.ts";

/** The cluster that `startRealCluster` made, or another like it. */
export async function openRealTarget(kubeconfig: string): Promise<WorkloadTarget> {
  const transport = await openHttpTransportFile(kubeconfig);
  const client = new KubeClient(transport.send);
  return {
    client,
    now: () => Date.now(),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    observe: (namespace, listener) => watchAll(client, namespace, listener),
    close: () => transport.close(),
  };
}

async function watchAll(
  client: KubeClient,
  namespace: string,
  listener: (change: Change) => void,
): Promise<() => void> {
  const ending = new AbortController();
  for (const [apiVersion, kind, scope] of FOLLOWED) {
    const where = scope === "namespace" ? { namespace } : {};
    const { items, resourceVersion } = await client.list(apiVersion, kind, where);
    for (const object of items) listener({ type: "ADDED", object });
    void follow(client, apiVersion, kind, { ...where, resourceVersion, signal: ending.signal }, listener);
  }
  return () => ending.abort();
}

async function follow(
  client: KubeClient,
  apiVersion: string,
  kind: string,
  options: { namespace?: string; resourceVersion: string; signal: AbortSignal },
  listener: (change: Change) => void,
): Promise<void> {
  try {
    for await (const event of client.watch(apiVersion, kind, { ...options, timeoutSeconds: 3_600 })) {
      if (event.type === "ERROR") throw new Error(`the watch of ${kind} broke: ${event.status.message}`);
      if (event.type !== "BOOKMARK") listener({ type: event.type, object: event.object });
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  }
}
