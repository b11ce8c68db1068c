// A control plane as a snapshot has it, to be asked in this process; and its members.
import { randomUUID } from "node:crypto";
import type { ResourceInterpreterCustomization } from "../../api/config.ts";
import { builtinKinds } from "../../fleets/apiserver/kinds/builtin.ts";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { CLUSTER_DEFINITION, clusterKind } from "../../fleets/cluster-kind.ts";
import { readSnapshot, type Snapshot, type SnapshotPart } from "../../fleets/simulator/snapshot/snapshot-file.ts";
import { withoutSecrets } from "../../fleets/simulator/snapshot/without-secrets.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { QuotaEnforcement } from "../controllers/quota/quota-enforcement.ts";
import { QuotaLedger } from "../controllers/quota/quota-ledger.ts";
import { karmadaAdmission } from "./admission.ts";
import { provideMembers } from "./member-client.ts";

export interface SnapshotPlane {
  readonly client: KubeClient;
  close(): Promise<void>;
}

/**
 * Loads a snapshot into servers of this process that nobody acts in. Its members are found by `connectMember` when one is
 * asked for. Writes are refused, but for dry runs, which answer by the rules of admission that a control plane has.
 */
export async function openSnapshotPlane(file: string): Promise<SnapshotPlane> {
  const snapshot = await readSnapshot(file);
  const part = snapshot.controlPlane;
  if (part === undefined)
    throw new AppError(
      "snapshot-without-plane",
      `${file} has clusters, but no control plane: take one with 'snapshot'`,
      {
        recovery: "stall",
      },
    );
  const closers: (() => Promise<void>)[] = [];
  // Served here without a definition; stores in another API server have one.
  const imported = part.objects.filter(({ object }) => object.metadata.name !== CLUSTER_DEFINITION);
  const customizations = imported.flatMap(({ object }) =>
    object.kind === "ResourceInterpreterCustomization" ? [object as unknown as ResourceInterpreterCustomization] : [],
  );
  const ledger = new QuotaLedger(systemClock);
  const server = await createApiServer({
    name: "snapshot",
    clock: systemClock,
    logger: silentLogger,
    imported,
    kinds: [...builtinKinds(), clusterKind()],
    admission: [
      karmadaAdmission({
        clock: systemClock,
        newUuid: randomUUID,
        quotas: new QuotaEnforcement(() => client, ledger),
        customizations: () => customizations,
      }),
    ],
  });
  const client = new KubeClient(readOnly(server.handle, file));
  closers.push(() => server.close());
  const members = new Map<string, Promise<KubeClient>>();
  provideMembers(client, (name) => {
    let member = members.get(name);
    if (member === undefined) {
      member = openMember(snapshot, name, file, closers);
      members.set(name, member);
    }
    return member;
  });
  return {
    client,
    close: async () => {
      for (const close of closers) await close();
    },
  };
}

async function openMember(
  snapshot: Snapshot,
  name: string,
  file: string,
  closers: (() => Promise<void>)[],
): Promise<KubeClient> {
  const part: SnapshotPart | undefined = snapshot.clusters.get(name);
  if (part === undefined || part.unreachable !== undefined)
    throw new AppError(
      "cluster-not-in-snapshot",
      `${file} has nothing of cluster ${name}${part?.unreachable === undefined ? "" : `: ${part.unreachable}`}`,
      { recovery: "stall" },
    );
  const server = await createApiServer({ name, clock: systemClock, logger: silentLogger, imported: part.objects });
  closers.push(() => server.close());
  return new KubeClient(readOnly(server.handle, file));
}

function readOnly(transport: Transport, file: string): Transport {
  return async (request) => {
    const [path = "", query = ""] = request.path.split("?");
    const isDryRun = new URLSearchParams(query).get("dryRun") === "All";
    if (request.method !== "GET" && !isDryRun && !/\/(selfsubject|subject|local)[a-z]*reviews$/.test(path))
      throw new AppError("snapshot-read-only", `${file} is a snapshot: nothing can be written to it`, {
        recovery: "stall",
      });
    // A Secret's values are not in the snapshot, so that none can differ from them.
    const { object } = request;
    return transport(
      isObject(object) ? { ...request, object: withoutSecrets(object as unknown as KubeObject) } : request,
    );
  };
}
