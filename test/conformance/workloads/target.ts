// A cluster that scripts are played on: a simulated one, or a real one.
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import type { Change } from "./observer.ts";

export interface WorkloadTarget {
  /** Reaches the cluster as its administrator. */
  readonly client: KubeClient;
  /** Milliseconds since the epoch, on the cluster's clock. */
  now(): number;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Tells of every change from now on, those of the namespace at least. Answers how to end it. */
  observe(namespace: string, listener: (change: Change) => void): Promise<() => void>;
  close(): Promise<void>;
}
