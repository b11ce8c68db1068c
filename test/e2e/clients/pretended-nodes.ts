// What a scheduler and kubelets would do: puts Pods on a node, says that they run, and lets deleted ones go.
import type { LooseObject } from "../../../fleets/apiserver/test-server.ts";
import type { ApiSession } from "./api-session.ts";

export interface PretendedNodes {
  close(): Promise<void>;
}

const LOOK_AGAIN_MS = 40;

/** Keeps every Pod in step until closed. Pods whose labels have `run=once` succeed instead of running. */
export function pretendNodes(session: ApiSession, node: string): PretendedNodes {
  let stopped = false;
  let address = 0;

  async function place(pod: LooseObject, path: string): Promise<void> {
    const target = { apiVersion: "v1", kind: "Node", name: node };
    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: pod["metadata"]?.["name"] }, target };
    await session.call("POST", `${path}/binding`, binding);
    const once = String(pod["metadata"]?.["labels"]?.["run"]) === "once";
    const ready = { type: "Ready", status: once ? "False" : "True", lastTransitionTime: new Date().toISOString() };
    address++;
    const podIP = `10.9.${address >> 8}.${address & 255}`;
    const status = { phase: once ? "Succeeded" : "Running", conditions: [ready], podIP, podIPs: [{ ip: podIP }] };
    await session.call("PATCH", `${path}/status`, { status }, { "content-type": "application/merge-patch+json" });
  }

  async function look(): Promise<void> {
    const { body } = await session.call("GET", "/api/v1/pods");
    for (const pod of (body["items"] ?? []) as unknown as LooseObject[]) {
      const meta = pod["metadata"] as unknown as { name: string; namespace: string; deletionTimestamp?: string };
      const path = `/api/v1/namespaces/${meta.namespace}/pods/${meta.name}`;
      if (meta.deletionTimestamp !== undefined) await session.remove(path, { gracePeriodSeconds: 0 });
      else if (String(pod["status"]?.["phase"]) === "Pending") await place(pod, path);
    }
  }

  const ended = (async () => {
    while (!stopped) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  })();
  return {
    async close() {
      stopped = true;
      await ended;
    },
  };
}
