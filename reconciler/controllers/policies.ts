// What a new, changed or deleted propagation policy means for templates.
import { defaultObject } from "../../api/admission/admit.ts";
import { isConflict, isNotFound } from "../../kube/client/status-error.ts";
import { equalJson, type KubeObject, refOf } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../runtime/work-queue.ts";
import { claimNames, policyId, readClaim, releaseMarks } from "../policies/claim.ts";
import { consequencesOfPolicy } from "../policies/policy-change.ts";
import { isNamespaced, type Policy } from "../policies/policy-index.ts";
import type { Controller, ControllerContext } from "./context.ts";
import type { TemplateWatch } from "./template-watch.ts";
import { overrideExists, releaseTemplate, type TemplateController } from "./templates.ts";

const POLICY_API = "policy.karmada.io/v1alpha1";
const KINDS = ["PropagationPolicy", "ClusterPropagationPolicy"] as const;
const FINALIZERS: Readonly<Record<string, string>> = {
  PropagationPolicy: "karmada.io/propagation-policy-controller",
  ClusterPropagationPolicy: "karmada.io/cluster-propagation-policy-controller",
};

export function startPolicyController(
  context: ControllerContext,
  templates: TemplateWatch,
  controller: TemplateController,
): Controller {
  const queue = new WorkQueue(
    {
      name: "policies",
      clock: context.clock,
      logger: context.logger,
      workers: 2,
      minBackoffMs: 200,
      maxBackoffMs: 10_000,
    },
    step,
  );
  for (const kind of KINDS) {
    context.informers.of<Policy>(POLICY_API, kind).subscribe((change) => {
      if (change.type === "deleted") return;
      const sameSpec =
        change.type === "updated" && change.previous.metadata.generation === change.object.metadata.generation;
      const deleting = change.object.metadata.deletionTimestamp !== undefined;
      if (!sameSpec || deleting || policyId(change.object) === "") queue.add(policyQueueKey(change.object));
    });
  }
  // A policy may wait for an override that comes later.
  for (const kind of ["OverridePolicy", "ClusterOverridePolicy"]) {
    context.informers.of(POLICY_API, kind).subscribe((change) => {
      if (change.type !== "added") return;
      for (const policyKind of KINDS) {
        for (const policy of context.informers.of<Policy>(POLICY_API, policyKind).all()) {
          if (policy.spec.dependentOverrides?.includes(change.object.metadata.name ?? "") === true)
            queue.add(policyQueueKey(policy));
        }
      }
    });
  }

  async function step(key: string): Promise<StepResult | undefined> {
    const [kind = "", namespace, name = ""] = key.split("/");
    const policy = context.informers.of<Policy>(POLICY_API, kind).get(namespace, name);
    if (policy === undefined) return undefined;
    try {
      if (policy.metadata.deletionTimestamp !== undefined) {
        await finishPolicy(context, templates, policy);
        return undefined;
      }
      // One pass over the policy as it was completed, instead of one before and one after.
      if ((await completePolicy(context, policy)) !== policy) return { requeueAfterMs: 0 };
      await spread(policy);
      return undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      throw error;
    }
  }

  async function spread(policy: Policy): Promise<void> {
    const all = [...templates.all()];
    const bound = all.filter((template) => claimNames(readClaim(template.metadata), policy));
    const waiting = all.filter((template) => readClaim(template.metadata) === undefined);
    const result = consequencesOfPolicy(policy, bound, waiting, overrideExists(context));
    for (const template of result.release) await releaseTemplate(context, template, releaseMarks(policy.kind));
    const lazy = policy.spec.activationPreference === "Lazy";
    for (const template of result.refresh) controller.enqueue(refOf(template), lazy);
    for (const template of result.adopt) controller.enqueue(refOf(template), true);
    if (result.blocked !== undefined)
      throw new AppError("policy-not-ready", result.blocked, { recovery: "wait", afterMs: 2_000 });
  }

  return { stop: () => queue.stop() };
}

function policyQueueKey(policy: KubeObject): string {
  return `${policy.kind}/${policy.metadata.namespace ?? ""}/${policy.metadata.name ?? ""}`;
}

/** On a store without our admission, a new policy lacks its permanent id and finalizer: they are written here. */
async function completePolicy(context: ControllerContext, policy: Policy): Promise<Policy> {
  const finalizer = FINALIZERS[policy.kind] ?? "";
  if (policyId(policy) !== "" && (policy.metadata.finalizers ?? []).includes(finalizer)) return policy;
  const admission = {
    operation: "CREATE" as const,
    requestNamespace: policy.metadata.namespace ?? "",
    nowMs: context.clock.now(),
    newUuid: context.newUuid,
  };
  // Defaulting keeps the kind.
  const complete = defaultObject(policy, admission) as Policy;
  if (equalJson(complete, policy)) return policy;
  const written = await context.client.update(complete, { fieldManager: "flaghoist" });
  context.informers.of<Policy>(POLICY_API, policy.kind).adopt(written);
  return written;
}

/** Before a deleted policy goes, its marks are taken off; what it had deployed stays, as Karmada has it. */
async function finishPolicy(context: ControllerContext, templates: TemplateWatch, policy: Policy): Promise<void> {
  const finalizer = FINALIZERS[policy.kind] ?? "";
  if (!(policy.metadata.finalizers ?? []).includes(finalizer)) return;
  for (const template of templates.all()) {
    const claim = readClaim(template.metadata);
    const mine = claimNames(claim, policy) && claim?.id === policyId(policy);
    const inReach = !isNamespaced(policy) || template.metadata.namespace === policy.metadata.namespace;
    if (mine && inReach) await releaseTemplate(context, template, releaseMarks(policy.kind));
  }
  const finalizers = (policy.metadata.finalizers ?? []).filter((other) => other !== finalizer);
  await context.client.patch(
    refOf(policy),
    { metadata: { resourceVersion: policy.metadata.resourceVersion, finalizers } },
    "merge",
    { fieldManager: "flaghoist" },
  );
}
