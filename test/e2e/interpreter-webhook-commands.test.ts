// What plan, explain and drift say of a kind that a webhook decides about. Members of another engine are out of their reach.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestWebhook, type TestWebhook } from "../../fleets/apiserver/admission/webhooks/test-webhook.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type Ran, runFlaghoist } from "../run-flaghoist.ts";
import { defineEverywhere } from "./support/define-kinds.ts";
import { eventually } from "./support/eventually.ts";
import { answerGadgets, customization, GADGET, gadget, MEANING, webhookConfiguration } from "./support/gadgets.ts";
import { namespaceObject, policy, yamlOf } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import { at } from "./support/reading.ts";

describe("commands about what a webhook decides", () => {
  let plane: Plane;
  let hook: TestWebhook;
  let folder: string;
  const placed = policy({
    namespace: "shop",
    name: "gadgets",
    selectors: [{ apiVersion: "example.com/v1", kind: "Gadget" }],
    weights: { "tokyo-1": 1, "paris-1": 1 },
  });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-webhook-commands-"));
    mkdirSync(join(folder, "apps"));
    hook = await startTestWebhook();
    answerGadgets(hook, () => MEANING);
    plane = await startPlane({ engine: "embedded", members: { "tokyo-1": {}, "paris-1": {} } });
    await defineEverywhere(plane, [GADGET]);
    await applyAll(plane.client, webhookConfiguration(hook.client("/gadgets")), namespaceObject("shop"), placed);
    await applyAll(plane.client, gadget("shop", "g", { size: 4, paused: false }));
    await eventually(async () => {
      for (const { client } of plane.members) expect(at(await client.get(GADGETS), "spec", "size")).toBe(2);
    });
  });

  afterAll(async () => {
    await plane.close();
    await hook.close();
    rmSync(folder, { recursive: true });
  });

  const GADGETS = ref(GADGET, "shop", "g");

  function flaghoist(...args: string[]): Promise<Ran> {
    return runFlaghoist(args, { cwd: folder, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
  }

  function write(...objects: readonly KubeObject[]): void {
    writeFileSync(join(folder, "apps", "shop.yaml"), yamlOf(...objects));
  }

  it("plan says which objects are not known for want of asking", async () => {
    write(placed, gadget("shop", "g", { size: 8, paused: false }));

    const { out } = await flaghoist("plan", "apps");

    expect(out).toContain("nothing that is known in any cluster. Of 1 object it is not known.");
    expect(out).toContain(
      "? Gadget shop/g: cannot read the replicas of example.com/v1 Gadget shop/g: InterpretReplica of example.com/v1 Gadget shop/g by webhook gadgets/all.example.com is not known: it was not asked (--ask-webhooks asks it)",
    );
  });

  it("plan --ask-webhooks shows what the webhook makes of the change", async () => {
    const { out } = await flaghoist("plan", "apps", "--ask-webhooks");

    expect(out).toContain("~ Gadget shop/g   paris-1 2 → 4, tokyo-1 2 → 4");
    expect(out).not.toContain("not known");
  });

  it("plan --ask-webhooks says so when the webhook does not answer", async () => {
    write(placed, webhookConfiguration(hook.client("/nowhere")));

    const { out } = await flaghoist("plan", "apps", "--ask-webhooks");

    expect(out).toContain('failed calling webhook "gadgets/all.example.com"');
    expect(out).toContain("? Gadget shop/g: ");
  });

  it("plan takes a webhook configuration of the folder for the rule, removed ones included", async () => {
    write(placed, gadget("shop", "g", { size: 4 }), webhookConfiguration(hook.client("/gadgets"), { rules: [] }));

    const { out } = await flaghoist("plan", "apps", "--ask-webhooks");

    // Without its webhook nobody divides the size.
    expect(out).toContain("spec.size   2 → 4   in paris-1, tokyo-1");
  });

  it("plan shows what a customization of the folder takes over from the webhook", async () => {
    const script = customization("function GetReplicas(obj) return obj.spec.size * 2 end");
    write(placed, gadget("shop", "g", { size: 4, paused: false }), script);

    const { out } = await flaghoist("plan", "apps", "--ask-webhooks");

    expect(out).toContain("~ Gadget shop/g   paris-1 2 → 4, tokyo-1 2 → 4");
  });

  it("drift asks who says what a member may change, or says that it is not known", async () => {
    const unasked = await flaghoist("drift", "gadget/g", "-n", "shop");
    expect(unasked.out).toContain("of the rest it is not known");
    expect(unasked.out).toContain("? Gadget shop/g in paris-1: Retain of example.com/v1 Gadget shop/g by webhook");

    expect((await flaghoist("drift", "gadget/g", "-n", "shop", "--ask-webhooks")).out).toContain("No drift: 2 copies");
  });

  it("explain says what is not known, and knows it when it asks", async () => {
    expect((await flaghoist("explain", "gadget/g", "-n", "shop")).out).toContain("is not known: it was not asked");

    const { out } = await flaghoist("explain", "gadget/g", "-n", "shop", "--ask-webhooks");
    expect(out).toContain("g is on 2 of 2 clusters");
    expect(out).not.toContain("not known");
  });

  it("knows the rules that it was told, and refuses others", async () => {
    expect((await flaghoist("drift", "--compatibility", "karmada", "--ask-webhooks")).code).toBe(0);
    expect((await flaghoist("drift", "--compatibility", "other")).err).toContain("is flaghoist or karmada, not other");
  });
});
