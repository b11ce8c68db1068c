// A control plane in memory in which no loop runs: what is stored stays as it was stored, and what loops would have come to
// is stored on request. For plans, which only read.
import { builtinKinds } from "../fleets/apiserver/kinds/builtin.ts";
import { createApiServer } from "../fleets/apiserver/server.ts";
import { CLUSTER_DEFINITION, clusterKind } from "../fleets/cluster-kind.ts";
import { KubeClient } from "../kube/client/kube-client.ts";
import type { KubeObject } from "../kube/object.ts";
import { installDefinitions } from "../reconciler/cli/install.ts";
import type { Interpretations } from "../reconciler/plan/compare-worlds.ts";
import { runRiver } from "../reconciler/plan/river.ts";
import { loadWorld } from "../reconciler/plan/world.ts";
import { systemClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { mapLimit } from "../runtime/parallel.ts";

export interface QuietPlane {
  readonly client: KubeClient;
  /** Stores new objects, statuses included. */
  create(objects: readonly object[]): Promise<void>;
  /** Stores the bindings of all templates, scheduled. */
  placeAll(interpretations: Interpretations): Promise<void>;
  close(): Promise<void>;
}

export async function openQuietPlane(): Promise<QuietPlane> {
  const server = await createApiServer({
    name: "quiet",
    clock: systemClock,
    logger: silentLogger,
    kinds: [...builtinKinds(), clusterKind()],
  });
  const client = new KubeClient(server.handle);
  await installDefinitions(client, systemClock, { builtIn: [CLUSTER_DEFINITION] });

  async function create(objects: readonly object[]): Promise<void> {
    await mapLimit(objects, 16, async (given) => {
      // Whoever calls this has whole objects of some type.
      const object = given as KubeObject;
      const { uid: _, ...metadata } = object.metadata;
      const created = await client.create({ ...object, metadata });
      if (object["status"] !== undefined)
        await client.update({ ...created, status: object["status"] }, { subresource: "status" });
    });
  }

  return {
    client,
    create,
    async placeAll(interpretations) {
      const world = await loadWorld(client);
      const { signal } = new AbortController();
      const outcomes = await interpretations
        .of(world.interpretation)
        .decide((interpreter) => runRiver(world, { interpreter, now: systemClock.now() }), { signal });
      await create([...outcomes.values()].flatMap(({ binding }) => (binding === undefined ? [] : [binding])));
    },
    close: () => server.close(),
  };
}
