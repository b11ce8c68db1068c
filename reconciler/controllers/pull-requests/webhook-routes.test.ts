import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { NS, REPORTER, ReporterBench } from "../../../test/reporter-bench.ts";
import type { WebhookEvent } from "../../forges/webhooks/webhook-event.ts";

const PATH = "/hook/shop/shop";

let bench: ReporterBench;

beforeEach(async () => {
  bench = await ReporterBench.open();
  const hook = { token: "new", previousToken: "old" };
  await bench.plane.create([
    { apiVersion: "v1", kind: "Secret", metadata: { name: "hook", namespace: NS }, stringData: hook },
    bench.reporter({ interval: "24h", webhook: { secretRef: { name: "hook" } } }),
    bench.reporter({ interval: "24h" }, "deaf"),
    bench.source("fork"),
  ]);
  await bench.start();
  await eventually(async () => expect((await bench.status()).lastPolledAt).toBeDefined());
});

afterEach(() => bench.close());

function repository(): Extract<WebhookEvent, { type: "push" }>["repository"] {
  return { path: "octo/shop", urls: [bench.server.cloneUrl] };
}

describe("webhook routes", () => {
  it("take what the host of a Reporter proves by its Secret, also while that is changed", async () => {
    const route = bench.routes.find(PATH);

    expect(route).toMatchObject({ kind: "github", repository: "octo/shop" });
    expect(await route?.secrets()).toEqual(["new", "old"]);
    expect(await bench.status()).toMatchObject({ webhookPath: PATH });
  });

  it("believe nobody while there is no Secret", async () => {
    await bench.plane.client.delete({ apiVersion: "v1", kind: "Secret", namespace: NS, name: "hook" });

    expect(await bench.routes.find(PATH)?.secrets()).toEqual([]);
  });

  it.each([
    "/hook/shop/deaf",
    "/hook/shop/other",
    "/hook/shop/shop/",
    "/hook/shop/shop/x",
    "/other/shop/shop",
    "/",
    "",
  ])("take nothing at %s", (path) => {
    expect(bench.routes.find(path)).toBeUndefined();
  });

  it("take nothing for a Reporter whose source is not there", async () => {
    await bench.plane.client.patch(REPORTER, { spec: { sourceRef: { kind: "GitRepository", name: "none" } } }, "merge");

    await eventually(() => expect(bench.routes.find(PATH)).toBeUndefined());
    bench.routes.onEvent(PATH, { type: "push", branches: [], tags: [], repository: repository(), deliveryId: "1" });
    expect(bench.fetchedNow).toEqual([]);
  });

  it("have a pull request looked at that is told of, whatever the delivery says of it", async () => {
    bench.server.addPull({ number: 7 });

    bench.routes.onEvent(PATH, {
      type: "pull request",
      action: "closed",
      number: 7,
      sha: undefined,
      repository: repository(),
      sender: undefined,
      deliveryId: "1",
    });

    await bench.planned();
  });

  it("have what follows a pushed branch fetched, and nothing else", () => {
    const push = (name: string): void => {
      const branches = [{ name, before: undefined, after: "1".repeat(40) }];
      bench.routes.onEvent(PATH, { type: "push", branches, tags: [], repository: repository(), deliveryId: name });
    };

    push("feature-7");
    expect(bench.fetchedNow).toEqual([]);
    push("main");
    expect(bench.fetchedNow.toSorted()).toEqual([`${NS}/fork`, `${NS}/shop`]);
  });
});
