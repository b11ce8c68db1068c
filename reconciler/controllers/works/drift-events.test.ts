import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ApiServer, createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { deployment } from "../../../test/builders.ts";
import { type ControllerContext, createContext } from "../context.ts";
import { driftMessage, startDriftEvents } from "./drift-events.ts";
import { type DriftFinding, DriftJournal } from "./drift-journal.ts";

let server: ApiServer;
let context: ControllerContext;

beforeEach(async () => {
  server = await createApiServer({ name: "control-plane", clock: systemClock, logger: silentLogger });
  const client = new KubeClient(server.handle);
  context = createContext({ client, clock: systemClock, logger: silentLogger, newUuid: () => "id" });
});

afterEach(async () => {
  await context.informers.stop();
  await server.close();
});

function finding(words: Partial<DriftFinding> = {}): DriftFinding {
  const field = { path: "spec.replicas", wanted: 2, found: 5, manager: "kubectl-scale", time: undefined };
  return {
    cluster: "paris-2",
    object: refOf(deployment({ namespace: "default" })),
    fields: [field],
    foundAt: 0,
    corrected: true,
    ...words,
  };
}

async function eventsAfter(...findings: readonly DriftFinding[]): Promise<KubeObject[]> {
  const journal = new DriftJournal();
  const controller = startDriftEvents(context, journal);
  for (const one of findings) journal.record(one);
  await controller.stop();
  await context.events.flush();
  return (await context.client.list("v1", "Event", { namespace: "default" })).items;
}

describe("drift events", () => {
  it("are about the template, by its UID, and say what was undone", async () => {
    const template = await context.client.create(deployment({ namespace: "default" }));

    const events = await eventsAfter(finding());

    expect(events).toMatchObject([
      {
        type: "Normal",
        reason: "DriftCorrected",
        message: "cluster paris-2: spec.replicas wanted 2, found 5, by kubectl-scale",
        involvedObject: { kind: "Deployment", namespace: "default", name: "web", uid: template.metadata.uid },
      },
    ]);
  });

  it("warn of drift that stands", async () => {
    await context.client.create(deployment({ namespace: "default" }));

    expect(await eventsAfter(finding({ corrected: false }))).toMatchObject([
      { type: "Warning", reason: "DriftDetected" },
    ]);
  });

  it("are not written for an object that is gone", async () => {
    expect(await eventsAfter(finding())).toEqual([]);
  });
});

describe("driftMessage", () => {
  it("names the first fields and counts the rest", () => {
    const fields = Array.from({ length: 7 }, (_, i) => ({
      path: `data.k${i}`,
      wanted: "a",
      found: "b",
      manager: undefined,
      time: undefined,
    }));

    expect(driftMessage(finding({ fields }))).toMatch(/^cluster paris-2: data\.k0 .*data\.k4 .*; and 2 more fields$/);
  });

  it("hides the values of Secrets", () => {
    const object = { apiVersion: "v1", kind: "Secret", namespace: "default", name: "s" };
    const field = { path: "data.token", wanted: "b2xk", found: "bmV3", manager: "x", time: undefined };

    expect(driftMessage(finding({ object, fields: [field] }))).not.toMatch(/b2xk|bmV3/);
  });
});
