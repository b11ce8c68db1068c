// What a node that was without power finds of a Pod's containers when it is back.
import { isRunning, type PodRuntime } from "./pod-runtime.ts";

/** As the container runtime reports processes that it has lost. */
const LOST = { exitCode: 255, reason: "Unknown" };

/**
 * All containers have ended at `lostAtMs`, and the network is to be set up anew; the kubelet restarts what its policy
 * lets it. Answers the address that the Pod had.
 */
export function findLostContainers(runtime: PodRuntime, lostAtMs: number): string | undefined {
  const { ip } = runtime;
  for (const container of runtime.containers) {
    container.startAtMs = undefined;
    container.pullingSinceMs = undefined;
    if (isRunning(container) && container.run !== undefined) container.run.end = { atMs: lostAtMs, ...LOST };
  }
  if (runtime.hasSandbox) {
    const message = "Pod sandbox changed, it will be killed and re-created.";
    runtime.events.push({ type: "Normal", reason: "SandboxChanged", message });
  }
  runtime.hasSandbox = false;
  runtime.ip = undefined;
  return ip;
}
