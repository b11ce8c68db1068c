// What a new, changed or deleted propagation policy means for templates.
import { defaultObject } from "../../../api/admission/admit.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { Turn } from "../../../runtime/turn.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { type Claim, policyId, readClaim } from "../../policies/claim.ts";
import { missingOverrides } from "../../policies/decide-template.ts";
import { priorityOf } from "../../policies/match.ts";
import { consequenceOfPolicy } from "../../policies/policy-change.ts";
import type { Policy } from "../../policies/policy-index.ts";
import { bestSelectorMatch } from "../../policies/resource-selector.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { Awaited } from "./awaited.ts";
import { releaseTemplate } from "./claim-marks.ts";
import type { PolicyAdvisor } from "./policy-advisor.ts";
import type { PreemptionController } from "./preemption.ts";
import type { TemplateIndex } from "./template-index.ts";
import { overrideExists, type TemplateController } from "./templates.ts";

const POLICY_API = "policy.karmada.io/v1alpha1";
const KINDS = ["PropagationPolicy", "ClusterPropagationPolicy"] as const;
const FINALIZERS: Readonly<Record<string, string>> = {
  PropagationPolicy: "karmada.io/propagation-policy-controller",
  ClusterPropagationPolicy: "karmada.io/cluster-propagation-policy-controller",
};
const PARALLEL_RELEASES = 16;

interface Deps {
  readonly context: ControllerContext;
  readonly index: TemplateIndex;
  readonly templates: TemplateController;
  readonly preemption: PreemptionController;
  readonly advisor: PolicyAdvisor;
}

export function startPolicyController(deps: Deps): Controller {
  const { context, index, templates, preemption, advisor } = deps;
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
  /** Policies that wait for override policies, whose key is their namespace and name. */
  const blocked = new Awaited();
  for (const kind of KINDS) {
    context.informers.of<Policy>(POLICY_API, kind).subscribe((change) => {
      const { object: policy } = change;
      if (change.type === "deleted") {
        // Whoever it had and was not released, such as what was claimed a moment ago, finds that it is gone.
        void lookAgain(index.claimedBy(policy));
        return;
      }
      const sameSpec = change.type === "updated" && change.previous.metadata.generation === policy.metadata.generation;
      const deleting = policy.metadata.deletionTimestamp !== undefined;
      if (!sameSpec || deleting || policyId(policy) === "") queue.add(policyQueueKey(policy));
      if (change.type === "updated") preemption.lowered(policy, priorityOf(change.previous));
    });
  }
  // A policy may wait for an override that comes later.
  for (const kind of ["OverridePolicy", "ClusterOverridePolicy"]) {
    context.informers.of(POLICY_API, kind).subscribe((change) => {
      if (change.type !== "added") return;
      const { namespace = "", name = "" } = change.object.metadata;
      for (const key of blocked.waitingFor(`${namespace}/${name}`)) queue.add(key);
    });
  }
  async function lookAgain(objects: readonly KubeObject[]): Promise<void> {
    const turn = new Turn();
    for (const object of objects) {
      templates.enqueue(refOf(object), false);
      if (turn.isOver) await turn.next();
    }
  }

  async function step(key: string): Promise<StepResult | undefined> {
    const [kind = "", namespace, name = ""] = key.split("/");
    const policy = context.informers.of<Policy>(POLICY_API, kind).get(namespace, name);
    blocked.forget(key);
    if (policy === undefined) return undefined;
    try {
      if (policy.metadata.deletionTimestamp !== undefined) {
        await finishPolicy(context, index, policy);
        return undefined;
      }
      // One pass over the policy as it was completed, instead of one before and one after.
      if ((await completePolicy(context, policy)) !== policy) return { requeueAfterMs: 0 };
      await spread(policy);
      preemption.contend(policy);
      advisor.consider(policy);
      return undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      throw error;
    }
  }

  async function spread(policy: Policy): Promise<void> {
    const turn = new Turn();
    const held = policy.spec.activationPreference === "Lazy";
    const unselected: KubeObject[] = [];
    const selected: KubeObject[] = [];
    for (const template of index.claimedBy(policy)) {
      const consequence = consequenceOfPolicy(policy, template);
      if (consequence === "release") unselected.push(template);
      if (consequence === "refresh") selected.push(template);
      if (turn.isOver) await turn.next();
    }
    await release(context, unselected);
    for (const template of selected) {
      templates.enqueue(refOf(template), held);
      if (turn.isOver) await turn.next();
    }
    const missing = missingOverrides(policy, overrideExists(context));
    blocked.set(
      policyQueueKey(policy),
      missing.map(({ namespace, name }) => `${namespace}/${name}`),
    );
    if (missing.length > 0) return;
    for (const template of index.unclaimed.candidates(policy)) {
      if (bestSelectorMatch(template, policy.spec.resourceSelectors) > 0) templates.enqueue(refOf(template), held);
      if (turn.isOver) await turn.next();
    }
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
async function finishPolicy(context: ControllerContext, index: TemplateIndex, policy: Policy): Promise<void> {
  const finalizer = FINALIZERS[policy.kind] ?? "";
  if (!(policy.metadata.finalizers ?? []).includes(finalizer)) return;
  const id = policyId(policy);
  await release(
    context,
    index.claimedBy(policy).filter((template) => readClaim(template.metadata)?.id === id),
  );
  const finalizers = (policy.metadata.finalizers ?? []).filter((other) => other !== finalizer);
  await context.client.patch(
    refOf(policy),
    { metadata: { resourceVersion: policy.metadata.resourceVersion, finalizers } },
    "merge",
    { fieldManager: "flaghoist" },
  );
}

async function release(context: ControllerContext, templates: readonly KubeObject[]): Promise<void> {
  const claimed = templates
    .map((template) => ({ template, claim: readClaim(template.metadata) }))
    .filter((entry): entry is { template: KubeObject; claim: Claim } => entry.claim !== undefined);
  await mapLimit(claimed, PARALLEL_RELEASES, ({ template, claim }) => releaseTemplate(context, template, claim));
}
