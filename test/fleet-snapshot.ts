// A snapshot of a control plane that has clusters, and little else.
import { karmadaCrds } from "../api/crd.ts";
import { SnapshotWriter } from "../fleets/simulator/snapshot/snapshot-file.ts";
import type { KubeObject } from "../kube/object.ts";
import { type ClusterWords, cluster } from "./builders.ts";

interface SnapshotObject {
  readonly plural: string;
  readonly object: KubeObject;
}

export async function writeFleetSnapshot(
  file: string,
  clusters: readonly ClusterWords[],
  more: readonly SnapshotObject[] = [],
): Promise<void> {
  const head = { flaghoist: "test", takenAt: "2026-01-01T00:00:00Z" };
  const writer = new SnapshotWriter(file, head, false);
  const kinds = karmadaCrds().map((object) => ({ plural: "customresourcedefinitions", object }));
  const members = clusters.map((words) => ({ plural: "clusters", object: cluster(words) as unknown as KubeObject }));
  const objects = [...kinds, ...members, ...more].map(({ plural, object }, at) => {
    const uid = `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`;
    const metadata = { ...object.metadata, uid, resourceVersion: `${at + 1}`, creationTimestamp: head.takenAt };
    return { plural, object: { ...object, metadata } };
  });
  await writer.part({ source: "control-plane", name: "" }, objects);
  await writer.finish();
}
