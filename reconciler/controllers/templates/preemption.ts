// Lets policies with `preemption: Always` take the objects that they name from policies that rank below them.
import { isConflict } from "../../../kube/client/status-error.ts";
import { describeRef, type KubeObject, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { claimMarks, policyId, readClaim } from "../../policies/claim.ts";
import { whyNotTemplate } from "../../policies/considered.ts";
import { isDeleting, priorityOf } from "../../policies/match.ts";
import { type Policy, type PolicyIndex, policyKey, policyName } from "../../policies/policy-index.ts";
import { contendersAfterLowering, decidePreemption } from "../../policies/preemption.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { writeMarks } from "./claim-marks.ts";
import type { TemplateWatch } from "./template-watch.ts";

const OWNER_GONE_RETRY_MS = 1_000;

export interface PreemptionController extends Controller {
  /** Looks whether a policy that is new or has changed takes objects from others. */
  contend(policy: Policy): void;
  /** A policy's priority went down from `before`: those in between contend, highest first. */
  lowered(policy: Policy, before: number): void;
}

export function startPreemptionController(
  context: ControllerContext,
  templates: TemplateWatch,
  policies: PolicyIndex,
): PreemptionController {
  const enabled = context.profile.featureGates.PropagationPolicyPreemption;
  const queue = new WorkQueue(
    {
      name: "preemption",
      clock: context.clock,
      logger: context.logger,
      // One at a time: were the second highest as fast as the highest, its objects would move twice.
      workers: 1,
      minBackoffMs: 200,
      maxBackoffMs: 10_000,
    },
    step,
  );

  function contend(policy: Policy): void {
    if (enabled && policy.spec.preemption === "Always") queue.add(policyKey(policy));
  }

  function lowered(policy: Policy, before: number): void {
    if (!enabled || priorityOf(policy) >= before) return;
    for (const contender of contendersAfterLowering(policy, before, policies.all())) contend(contender);
  }

  async function step(key: string): Promise<StepResult | undefined> {
    const policy = policies.get(key);
    if (policy === undefined || isDeleting(policy) || policyId(policy) === "") return undefined;
    const failures: unknown[] = [];
    for (const selector of policy.spec.resourceSelectors) {
      const namespace = policy.metadata.namespace ?? selector.namespace;
      const template = templates.find(selector.apiVersion, selector.kind, namespace, selector.name ?? "");
      if (template === undefined || template.metadata.deletionTimestamp !== undefined) continue;
      if (whyNotTemplate(template, templates.skipped) !== undefined) continue;
      try {
        await preempt(policy, template);
      } catch (error) {
        failures.push(error);
      }
    }
    const [first] = failures;
    if (first === undefined) return undefined;
    if (failures.every(isConflict)) return { requeueAfterMs: 20 };
    throw failures.find((failure) => !isConflict(failure));
  }

  async function preempt(policy: Policy, template: KubeObject): Promise<void> {
    const claim = readClaim(template.metadata);
    const owner = claim === undefined ? undefined : policies.get(`${claim.namespace}/${claim.name}`);
    const { verdict, reason } = decidePreemption({ policy, claim, owner, enabled });
    if (verdict === "leave" || claim === undefined) return;
    // Its marks go in a moment, and then the object is for whoever ranks highest.
    if (verdict === "error")
      throw new AppError("policy-owner-missing", `${describeRef(refOf(template))}: ${reason}`, {
        recovery: "wait",
        afterMs: OWNER_GONE_RETRY_MS,
      });
    const from = claim.namespace === "" ? claim.name : `${claim.namespace}/${claim.name}`;
    const what = `policy ${policyName(policy)} preempted policy ${from}`;
    try {
      await writeMarks(context, template, claimMarks(policy));
    } catch (error) {
      if (!isConflict(error)) {
        const message = `${what} without success: ${messageOf(error)}`;
        context.events.record(subjectOf(template), "Warning", "PreemptPolicyFailed", message);
      }
      throw error;
    }
    context.events.record(subjectOf(template), "Normal", "PreemptPolicySucceed", `${what}: ${reason}`);
  }

  return { contend, lowered, stop: () => queue.stop() };
}
