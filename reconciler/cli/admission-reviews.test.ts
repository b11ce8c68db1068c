import { describe, expect, it } from "vitest";
import { hasAdmissionRules } from "../../api/admission/admit.ts";
import { KINDS } from "../../api/kinds.ts";
import { applyJsonPatch, type JsonPatchOperation } from "../../kube/json-patch.ts";
import type { KubeObject } from "../../kube/object.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { admissionRules } from "./admission.ts";
import { answerReviews } from "./admission-reviews.ts";
import { SERVED_WEBHOOKS } from "./admission-webhooks.table.ts";

const rules = admissionRules({ clock: new FakeClock(), newUuid: () => "11111111-2222-3333-4444-555555555555" });

const POLICY: KubeObject = {
  apiVersion: "policy.karmada.io/v1alpha1",
  kind: "PropagationPolicy",
  metadata: { name: "web", namespace: "default" },
  spec: { resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment" }] },
};

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patch?: string;
    readonly patchType?: string;
    readonly status?: { readonly code: number; readonly message: string; readonly details?: object };
  };
}

async function send(half: "mutate" | "validate", body: unknown, method = "POST"): Promise<Answer> {
  const handler = answerReviews(half, rules, silentLogger);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await handler({ method, path: `/${half}-x`, body: text });
  const sent = Buffer.from(answer.body as Uint8Array).toString();
  return { status: answer.status, text: sent, response: answer.status === 200 ? JSON.parse(sent).response : {} };
}

function review(request: object): object {
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { uid: "u1", ...request } };
}

describe("answerReviews", () => {
  it("patches in what is missing", async () => {
    const { response } = await send("mutate", review({ operation: "CREATE", namespace: "default", object: POLICY }));

    expect(response).toMatchObject({ uid: "u1", allowed: true, patchType: "JSONPatch" });
    const patch = JSON.parse(Buffer.from(response.patch ?? "", "base64").toString()) as JsonPatchOperation[];
    expect(applyJsonPatch(POLICY, patch).metadata.labels).toEqual({
      "propagationpolicy.karmada.io/permanent-id": "11111111-2222-3333-4444-555555555555",
    });
  });

  it("leaves complete objects without a patch", async () => {
    const first = await send("mutate", review({ operation: "CREATE", namespace: "default", object: POLICY }));
    const patch = JSON.parse(Buffer.from(first.response.patch ?? "", "base64").toString()) as JsonPatchOperation[];
    const complete = applyJsonPatch(POLICY, patch);

    const { response } = await send("mutate", review({ operation: "UPDATE", object: complete, oldObject: complete }));

    expect(response).toEqual({ uid: "u1", allowed: true });
  });

  it("refuses what cannot be meant, by its field", async () => {
    const spec = { ...(POLICY["spec"] as object), placement: { spreadConstraints: [{ minGroups: 3, maxGroups: 1 }] } };
    const { response } = await send("validate", review({ operation: "CREATE", object: { ...POLICY, spec } }));

    expect(response).toMatchObject({ allowed: false, status: { code: 403, reason: "Forbidden" } });
    expect(response.status?.message).toContain("spec.placement.spreadConstraints[0]: Invalid value: maxGroups 1");
    expect(response.status?.details).toMatchObject({
      causes: [
        { reason: "FieldValueRequired" },
        { field: "spec.placement.spreadConstraints[0]" },
        { field: "spec.resourceSelectors[0].namespace" },
      ],
    });
  });

  it("warns of what surely is not meant, and lets it through", async () => {
    const first = await send("mutate", review({ operation: "CREATE", namespace: "default", object: POLICY }));
    const patch = JSON.parse(Buffer.from(first.response.patch ?? "", "base64").toString()) as JsonPatchOperation[];
    const placement = { spreadConstraints: [{ spreadByField: "cluster", minGroups: 1 }] };
    const complete = applyJsonPatch(POLICY, patch);
    const object = { ...complete, spec: { ...(complete["spec"] as object), placement } };

    const { response } = await send("validate", review({ operation: "CREATE", object }));

    expect(response).toEqual({
      uid: "u1",
      allowed: true,
      warnings: [expect.stringContaining("spec.placement.spreadConstraints[0]: without maxGroups")],
    });
  });

  it("hands on whether it is a dry run, and a reason of its own", async () => {
    const asked: boolean[] = [];
    const handler = answerReviews(
      "validate",
      {
        mutate: () => undefined,
        validate: async ({ dryRun }) => {
          asked.push(dryRun);
          return { code: 403, reason: "QuotaExceeded", message: "too much" };
        },
      },
      silentLogger,
    );
    const body = JSON.stringify(review({ operation: "CREATE", object: POLICY, dryRun: true }));
    const answer = await handler({ method: "POST", path: "/validate-x", body });

    expect(asked).toEqual([true]);
    expect(JSON.parse(Buffer.from(answer.body as Uint8Array).toString()).response).toEqual({
      uid: "u1",
      allowed: false,
      status: { status: "Failure", code: 403, reason: "QuotaExceeded", message: "too much" },
    });
  });

  it("protects what is marked from deletion", async () => {
    const labels = { "resourcetemplate.karmada.io/deletion-protected": "Always" };
    const oldObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kept", labels } };
    const { response } = await send("validate", review({ operation: "DELETE", object: null, oldObject }));

    expect(response).toMatchObject({ allowed: false, status: { code: 403 } });
  });

  it.each(["mutate", "validate"] as const)("leaves objects of the wrong shape to the schema (%s)", async (half) => {
    for (const spec of ["x", { resourceSelectors: "x" }, { placement: [1] }, null]) {
      const { response } = await send(half, review({ operation: "CREATE", object: { ...POLICY, spec } }));

      expect(response.uid).toBe("u1");
    }
  });

  it.each([
    ["no JSON", "{", "not JSON"],
    ["another kind", { apiVersion: "v1", kind: "Pod" }, "no AdmissionReview"],
    ["an old version", { ...review({}), apiVersion: "admission.k8s.io/v1beta1" }, "no AdmissionReview"],
    ["no uid", review({ uid: undefined, operation: "CREATE", object: POLICY }), "no uid"],
    ["no operation", review({ object: POLICY }), "no operation"],
    ["no object", review({ operation: "CREATE" }), "no object"],
  ])("says what is wrong with %s", async (_, body, why) => {
    const { status, text } = await send("validate", body);

    expect(status).toBe(400);
    expect(text).toContain(why);
  });

  it("takes nothing but POST", async () => {
    expect((await send("validate", review({}), "GET")).status).toBe(400);
  });
});

describe("the table of webhooks", () => {
  it("names kinds that exist, as their definitions do", () => {
    for (const { group, resource, scope } of SERVED_WEBHOOKS.filter((webhook) => webhook.group !== "*")) {
      expect(KINDS.find((kind) => kind.group === group && kind.plural === resource)).toMatchObject({ scope });
    }
  });

  it("has every kind that has rules", () => {
    const ruled = KINDS.filter(({ group, kind }) => hasAdmissionRules(group, kind));
    const served = new Set(SERVED_WEBHOOKS.map(({ group, resource }) => `${resource}.${group}`));

    expect(ruled.map(({ group, plural }) => `${plural}.${group}`).filter((name) => !served.has(name))).toEqual([]);
  });

  it("has unique names and paths", () => {
    for (const half of ["mutate", "validate"]) {
      const ours = SERVED_WEBHOOKS.filter((webhook) => webhook.half === half);
      expect(new Set(ours.map(({ name }) => name)).size).toBe(ours.length);
      expect(new Set(ours.map(({ path }) => path)).size).toBe(ours.length);
    }
  });
});
