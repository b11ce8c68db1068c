// Applies a policy to a template: claims the one for the other, and writes the binding, already scheduled.
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { describeRef, type KubeObject, refOf } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { policyId } from "../../policies/claim.ts";
import type { TemplateDecision } from "../../policies/decide-template.ts";
import { describeTie } from "../../policies/match.ts";
import { isNamespaced, type Policy, policyName } from "../../policies/policy-index.ts";
import {
  type AnyBinding,
  BINDING_API_VERSION,
  buildBinding,
  isOfEarlierObject,
  mergeBinding,
} from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { Asking, Interpretation } from "../interpretation/interpretation.ts";
import type { BindingWriter } from "../scheduling/binding-writer.ts";
import { writeMarks } from "./claim-marks.ts";
import { priorityClassValue } from "./template-priority.ts";

export interface ApplyDeps {
  readonly context: ControllerContext;
  readonly interpretation: Interpretation;
  readonly writer: BindingWriter;
}

/** `contentVersion` answers with the template's version in which something last changed that its binding is about. */
export async function applyPolicy(
  deps: ApplyDeps,
  template: KubeObject,
  decision: Extract<TemplateDecision, { action: "apply" }>,
  contentVersion: () => string | undefined,
  asking: Asking,
): Promise<void> {
  const { context } = deps;
  const { policy } = decision;
  if (policyId(policy) === "")
    throw new AppError("policy-not-ready", `policy ${policyName(policy)} has no permanent id yet`, {
      recovery: "wait",
      afterMs: 200,
    });
  try {
    const claimed = decision.claim === undefined ? template : await writeMarks(context, template, decision.claim);
    const tie = decision.claim === undefined ? undefined : describeTie(policy, decision.candidates);
    if (tie !== undefined) context.events.record(subjectOf(template), "Warning", "PoliciesOfEqualRank", tie);
    if (!decision.holdBinding) await writeBinding(deps, claimed, policy, contentVersion, asking);
  } catch (error) {
    if (!isConflict(error) && !asking.signal.aborted) tellFailed(context, template, policy, error);
    throw error;
  }
}

async function writeBinding(
  deps: ApplyDeps,
  template: KubeObject,
  policy: Policy,
  contentVersion: () => string | undefined,
  asking: Asking,
): Promise<void> {
  const { context, interpretation, writer } = deps;
  const id = context.newUuid();
  const desired = await interpretation.decide(
    (interpreter) =>
      buildBinding({
        template,
        policy,
        interpreter,
        id,
        priorityOf: (name) => priorityClassValue(context, name),
        gates: context.profile.featureGates,
      }),
    asking,
  );
  const existing = context.informers
    .of<AnyBinding>(BINDING_API_VERSION, desired.kind)
    .get(desired.metadata.namespace, desired.metadata.name ?? "");
  // What is written to it goes with it. Its end brings us back.
  if (existing?.metadata.deletionTimestamp !== undefined) return;
  if (existing !== undefined && isOfEarlierObject(existing, template)) {
    await removeStaleBinding(context, existing, template);
    return;
  }
  const merged =
    existing === undefined
      ? desired
      : withKnownVersion(mergeBinding(existing, desired, policy), existing, contentVersion());
  const before = existing?.metadata.resourceVersion;
  await writer.write(existing, merged, (stored) => {
    if (stored.metadata.resourceVersion !== before) tellApplied(context, template, policy);
  });
}

/**
 * Differs from Karmada, which writes a binding for each new version of its template that a change of the policy finds: a
 * version that only the template's status has made is none to write for, or a policy's change would touch everything.
 */
function withKnownVersion(merged: AnyBinding, existing: AnyBinding, contentVersion: string | undefined): AnyBinding {
  const { resourceVersion, uid } = existing.spec.resource;
  const isCurrent = Number(resourceVersion) >= Number(contentVersion) && uid === merged.spec.resource.uid;
  if (!isCurrent || resourceVersion === undefined) return merged;
  // The same kind with another version of the same object.
  return { ...merged, spec: { ...merged.spec, resource: { ...merged.spec.resource, resourceVersion } } } as AnyBinding;
}

/**
 * A garbage collector would do it; a store without one has only us. Everything that runs goes with the binding, so the
 * cache's word that the template is another object by now is not enough.
 */
export async function removeStaleBinding(
  context: ControllerContext,
  binding: AnyBinding,
  template: KubeObject,
): Promise<void> {
  const present = await context.client.find(refOf(template));
  if (present?.metadata.uid !== template.metadata.uid) return;
  try {
    await context.client.delete(refOf(binding), { uid: binding.metadata.uid });
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}

function tellApplied(context: ControllerContext, template: KubeObject, policy: Policy): void {
  const message = `Apply ${policyWords(policy)} succeed`;
  context.events.record(subjectOf(template), "Normal", "ApplyPolicySucceed", message);
  context.logger.debug("applied policy", { object: describeRef(refOf(template)), policy: policyName(policy) });
}

/** Records why a policy is not applied to a template that it has, or would have. */
export function tellFailed(context: ControllerContext, template: KubeObject, policy: Policy, error: unknown): void {
  const subject = subjectOf(template);
  if (error instanceof AppError) {
    const reason = INTERPRETER_REASONS[error.code];
    if (reason !== undefined) context.events.record(subject, "Warning", reason, error.message);
  }
  const message = `Apply ${policyWords(policy)} failed: ${messageOf(error)}`;
  context.events.record(subject, "Warning", "ApplyPolicyFailed", message);
}

const INTERPRETER_REASONS: Readonly<Record<string, string>> = {
  "binding-replicas-unknown": "GetReplicasFailed",
  "binding-components-unknown": "GetComponentsFailed",
};

function policyWords(policy: Policy): string {
  return isNamespaced(policy) ? `policy(${policyName(policy)})` : `cluster policy(${policyName(policy)})`;
}
