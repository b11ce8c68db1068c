// What a dry run finds that no watch tells, in a member whose watches can fall silent.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import type { ApiRequest, ApiResponse, TransportEvent } from "../kube/client/transport.ts";
import { type KubeObject, refOf } from "../kube/object.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { eventually } from "../test/e2e/support/eventually.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { type ApplyOptions, type ApplyResult, applyManifest } from "./apply.ts";
import { Member } from "./member.ts";

let server: ApiServer;
/** The member's own people. */
let people: KubeClient;
let member: Member;
let requests: ApiRequest[];
/** While set, no watch tells anything. */
let isDeaf = false;
/** What a mutating webhook of the member makes of objects. */
let webhook: ((object: KubeObject) => KubeObject) | undefined;
const clock = new FakeClock();

beforeEach(async () => {
  isDeaf = false;
  webhook = undefined;
  requests = [];
  server = await createApiServer({
    name: "member",
    clock,
    logger: silentLogger,
    admission: [
      {
        handles: (kind, operation) => kind.kind === "ConfigMap" && operation !== "DELETE",
        mutate: ({ object }) => webhook?.(object),
      },
    ],
  });
  people = new KubeClient(server.handle);
  member = new Member({
    name: "paris-1",
    clock,
    logger: silentLogger,
    transport: async (request) => {
      requests.push(request);
      const response = await server.handle(request);
      return response.events === undefined ? response : withholding(response, response.events);
    },
  });
});

afterEach(async () => {
  await member.close();
  await server.close();
});

function withholding(response: ApiResponse, events: AsyncIterable<TransportEvent>): ApiResponse {
  async function* heard(): AsyncGenerator<TransportEvent> {
    for await (const event of events) if (!isDeaf) yield event;
  }
  return { ...response, events: heard() };
}

function manifest(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings", namespace: "default", labels: { "karmada.io/managed": "true" } },
    data: { color: "blue" },
  };
}

function apply(object: KubeObject, options: Partial<ApplyOptions> = {}): Promise<ApplyResult> {
  return applyManifest(member, object, { retain: (desired) => desired, ...options });
}

async function seen(check: (object: KubeObject | undefined) => boolean): Promise<void> {
  await eventually(() => check(member.cached(refOf(manifest()))));
}

function dataOf(object: KubeObject | undefined): Record<string, string> | undefined {
  return object?.["data"] as Record<string, string> | undefined;
}

async function live(): Promise<KubeObject | undefined> {
  return people.find(refOf(manifest()));
}

describe("a check by dry run", () => {
  const verify = { verify: true } as const;

  it("writes nothing where the member has what was applied", async () => {
    await apply(manifest());
    await seen((object) => object !== undefined);
    requests.length = 0;

    expect(await apply(manifest(), verify)).toMatchObject({ outcome: "unchanged", drift: [] });
    expect(requests.filter(({ method }) => method !== "GET").map(({ path }) => path)).toEqual([
      expect.stringContaining("dryRun=All"),
    ]);
  });

  it("finds a change that no watch told of, puts it right, and has the kind listed anew", async () => {
    await apply(manifest());
    await seen((object) => object !== undefined);
    isDeaf = true;
    await people.patch(refOf(manifest()), { data: { color: "red" } }, "merge", { fieldManager: "kubectl-edit" });

    expect(await apply(manifest())).toMatchObject({ outcome: "unchanged", drift: [] });
    expect(await apply(manifest(), verify)).toMatchObject({
      outcome: "corrected",
      drift: [{ path: "data.color", wanted: "blue", found: "red", manager: "kubectl-edit" }],
    });
    expect(dataOf(await live())).toEqual({ color: "blue" });
  });

  it("finds that an object is gone of which no watch told, and makes it anew", async () => {
    await apply(manifest());
    await seen((object) => object !== undefined);
    isDeaf = true;
    await people.delete(refOf(manifest()));

    expect(await apply(manifest())).toMatchObject({ outcome: "unchanged" });
    expect(await apply(manifest(), verify)).toMatchObject({ outcome: "created" });
    expect(await live()).toBeDefined();
  });

  it("only tells of what it finds where that is the mode", async () => {
    const rules = { mode: "report", rules: [] } as const;
    await apply(manifest(), { rules });
    await seen((object) => object !== undefined);
    isDeaf = true;
    await people.patch(refOf(manifest()), { data: { color: "red" } }, "merge", { fieldManager: "kubectl-edit" });

    expect(await apply(manifest(), { rules, ...verify })).toMatchObject({
      outcome: "unchanged",
      drift: [{ path: "data.color", found: "red", mode: "report" }],
    });
    expect(dataOf(await live())).toEqual({ color: "red" });
  });

  it("applies what a webhook makes of the manifest by now", async () => {
    await apply(manifest());
    await seen((object) => object !== undefined);
    webhook = (object) => ({ ...object, data: { ...dataOf(object), color: "navy" } });

    const result = await apply(manifest(), verify);

    expect(result).toMatchObject({
      outcome: "corrected",
      drift: [{ path: "data.color", wanted: "navy", found: "blue" }],
    });
    expect(dataOf(await live())).toEqual({ color: "navy" });
    expect(await apply(manifest(), verify)).toMatchObject({ outcome: "unchanged", drift: [] });
  });

  it("takes what a webhook makes anew each time for no drift", async () => {
    let stamp = 0;
    webhook = (object) => ({ ...object, data: { ...dataOf(object), color: `blue-${stamp++}` } });
    await apply(manifest());
    await seen((object) => object !== undefined);
    requests.length = 0;

    expect(await apply(manifest(), verify)).toMatchObject({ outcome: "unchanged", drift: [] });
    expect(await apply(manifest(), verify)).toMatchObject({ outcome: "unchanged", drift: [] });
    expect(requests.filter(({ method, path }) => method !== "GET" && !path.includes("dryRun"))).toEqual([]);
  });
});
