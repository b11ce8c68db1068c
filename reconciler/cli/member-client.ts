import type { Cluster } from "../../api/cluster.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";

export interface MemberConnection {
  readonly client: KubeClient;
  close(): Promise<void>;
}

type FindMember = (name: string) => Promise<KubeClient>;

/** Members that are reached in this process, by the client of their control plane. */
const WITHIN = new WeakMap<KubeClient, FindMember>();

/** Lets the members of a control plane be found by `find`, which rejects for those that are not there. */
export function provideMembers(controlPlane: KubeClient, find: FindMember): void {
  WITHIN.set(controlPlane, find);
}

/**
 * Connects to a member by the credentials that the control plane holds of it. Throws `cluster-not-configured` when they
 * are not complete; whether the member answers is seen at the first request.
 */
export async function connectMember(controlPlane: KubeClient, cluster: Cluster): Promise<MemberConnection> {
  const find = WITHIN.get(controlPlane);
  if (find !== undefined) return { client: await find(cluster.metadata.name ?? ""), close: () => Promise.resolve() };
  // Who finds its members within needs no client of the network.
  const { connectCluster, decodeSecret } = await import("../../fleets/connect.ts");
  const reference = cluster.spec.secretRef;
  const secret =
    reference === undefined
      ? {}
      : decodeSecret(await controlPlane.get({ apiVersion: "v1", kind: "Secret", ...reference }));
  const transport = await connectCluster(cluster, secret);
  return { client: new KubeClient(transport.send), close: transport.close };
}

/** Runs `work` with a connection to the member that is closed afterwards. */
export async function withMember<T>(
  controlPlane: KubeClient,
  cluster: Cluster,
  work: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const connection = await connectMember(controlPlane, cluster);
  try {
    return await work(connection.client);
  } finally {
    await connection.close();
  }
}
