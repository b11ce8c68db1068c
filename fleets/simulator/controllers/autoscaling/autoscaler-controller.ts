// Gives workloads the size that HorizontalPodAutoscalers find right.
import { equalJson, type KubeObject, parseApiVersion } from "../../../../kube/object.ts";
import { parseQuantity, quantityFloat } from "../../../../kube/quantity.ts";
import { matchesRequirements, parseLabelSelector } from "../../../../kube/selectors.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import { attempt, type Reconcile, type Steps, tell, writeStatus } from "../../kernel/action.ts";
import { type Controller, splitKey, type World, watchSelf } from "../../kernel/controller.ts";
import { DueKeys } from "../due-keys.ts";
import { podOf } from "../pod-object.ts";
import { isScale, type NoScale, type Scale, type ScaleTarget, scaleOf } from "../scales.ts";
import {
  type Autoscaler,
  type AutoscalerCondition,
  type AutoscalerStatus,
  type MetricStatus,
  withCondition,
} from "./autoscaler.ts";
import { type Measured, type NoProposal, type Proposal, proposalOf } from "./metric-proposals.ts";
import type { Tolerances } from "./replica-calculator.ts";
import { limitReplicas, ScalingMemory } from "./scaling-limits.ts";

const AUTOSCALERS = "autoscaling/horizontalpodautoscalers";
/** As kube-controller-manager has them by default. */
const SYNC_MS = 15_000;
const TOLERANCE = 0.1;

/** Sizes workloads by metrics, as HorizontalPodAutoscalers say. */
export function autoscalerController(): Controller {
  const memories = new Map<string, ScalingMemory>();
  const due = new DueKeys();
  return {
    name: "horizontal-pod-autoscaler",
    manager: "kube-controller-manager",
    watches: [watchSelf(AUTOSCALERS)],
    *reconcile(key: string, world: World): Reconcile {
      const { namespace, name } = splitKey(key);
      // Defaulted by the server.
      const autoscaler = world.state.get(AUTOSCALERS, namespace, name) as Autoscaler | undefined;
      if (autoscaler === undefined) {
        memories.delete(key);
        due.take(key, Number.POSITIVE_INFINITY);
        return undefined;
      }
      // As Kubernetes: a period passes before the first look too, whatever changes meanwhile.
      if (due.take(key, world.now())) {
        const memory = memories.get(key) ?? new ScalingMemory();
        memories.set(key, memory);
        yield* scale(autoscaler, memory, world);
      }
      if (due.remaining(key, world.now()) === undefined) due.want(key, world.now() + SYNC_MS);
      return due.remaining(key, world.now());
    },
  };
}

/** One look: what it finds is written into the status, whether anything is scaled or not. */
function* scale(autoscaler: Autoscaler, memory: ScalingMemory, world: World): Steps<void> {
  const look = new Look(autoscaler, rfc3339(world.now()));
  const found = scaleOf(autoscaler.spec.scaleTargetRef, autoscaler.metadata.namespace ?? "", world.state);
  if (!isScale(found)) {
    const why = whyNoScale(autoscaler.spec.scaleTargetRef, found);
    yield* tell(autoscaler, "Warning", "FailedGetScale", why);
    look.say(
      "AbleToScale",
      "False",
      "FailedGetScale",
      `the HPA controller was unable to get the target's current scale: ${why}`,
    );
    yield* writeStatus(autoscaler, { ...autoscaler.status, conditions: look.conditions });
    return;
  }
  look.say("AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale");
  memory.begin(found.wanted, world.now());
  const decision = yield* decide(look, found, memory, world);
  if (decision === undefined) return;
  const { desired, reason, metrics } = decision;
  if (desired === found.wanted) {
    yield* look.write(found.wanted, desired, metrics, false);
    return;
  }
  const { object } = found;
  const outcome = yield* attempt({ do: "patch", object, patch: { spec: { replicas: desired } }, subresource: "scale" });
  if (!outcome.ok) {
    const { message = "" } = outcome.error.status;
    yield* tell(autoscaler, "Warning", "FailedRescale", `New size: ${desired}; reason: ${reason}; error: ${message}`);
    const said = `the HPA controller was unable to update the target scale: ${message}`;
    look.say("AbleToScale", "False", "FailedUpdateScale", said);
    yield* look.write(found.wanted, autoscaler.status?.desiredReplicas ?? 0, metrics, false);
    return;
  }
  const said = `the HPA controller was able to update the target scale to ${desired}`;
  look.say("AbleToScale", "True", "SucceededRescale", said);
  yield* tell(autoscaler, "Normal", "SuccessfulRescale", `New size: ${desired}; reason: ${reason}`);
  const { behavior } = autoscaler.spec;
  if (behavior !== undefined) memory.change(desired - found.wanted, world.now(), behavior);
  yield* look.write(found.wanted, desired, metrics, true);
}

/** A status in the making. */
class Look {
  readonly autoscaler: Autoscaler;
  readonly now: string;
  conditions: readonly AutoscalerCondition[];

  constructor(autoscaler: Autoscaler, now: string) {
    this.autoscaler = autoscaler;
    this.now = now;
    this.conditions = autoscaler.status?.conditions ?? [];
  }

  say(type: AutoscalerCondition["type"], status: AutoscalerCondition["status"], reason: string, message: string): void {
    this.conditions = withCondition(this.conditions, { type, status, reason, message }, this.now);
  }

  *write(
    current: number,
    desired: number,
    metrics: readonly MetricStatus[] | undefined,
    rescaled: boolean,
  ): Steps<void> {
    const { status } = this.autoscaler;
    const lastScaleTime = rescaled ? this.now : status?.lastScaleTime;
    const next: AutoscalerStatus = {
      ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
      ...(current === 0 ? {} : { currentReplicas: current }),
      desiredReplicas: desired,
      currentMetrics: metrics ?? null,
      conditions: this.conditions,
    };
    if (!equalJson(status ?? {}, next)) yield* writeStatus(this.autoscaler, { ...next });
  }
}

interface Decision {
  readonly desired: number;
  readonly reason: string;
  readonly metrics: readonly MetricStatus[] | undefined;
}

/** What the size should be; undefined when nobody can tell, which is written then. */
function* decide(look: Look, found: Scale, memory: ScalingMemory, world: World): Steps<Decision | undefined> {
  const { autoscaler } = look;
  const { minReplicas: min = 1, maxReplicas: max } = autoscaler.spec;
  const current = found.wanted;
  if (current === 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    look.say("ScalingActive", "False", "ScalingDisabled", message);
    return { desired: 0, reason: "", metrics: undefined };
  }
  if (current > max)
    return { desired: max, reason: "Current number of replicas above Spec.MaxReplicas", metrics: undefined };
  if (current < min)
    return { desired: min, reason: "Current number of replicas below Spec.MinReplicas", metrics: undefined };
  const asked = yield* askMetrics(look, found, world);
  if (asked.best === undefined) {
    yield* look.write(current, autoscaler.status?.desiredReplicas ?? 0, asked.metrics, false);
    yield* tell(autoscaler, "Warning", "FailedComputeMetricsReplicas", asked.error ?? "");
    return undefined;
  }
  const desired = asked.best.replicas;
  const reason =
    desired > current ? `${asked.best.metric} above target` : desired < current ? "All metrics below target" : "";
  const limited = limitReplicas(autoscaler, { current, desired, min, max }, memory, world.now());
  for (const { type, status, reason, message } of limited.conditions) look.say(type, status, reason, message);
  return { desired: limited.replicas, reason, metrics: asked.metrics };
}

interface Asked {
  /** The metric that asks for most. */
  readonly best?: Proposal;
  readonly metrics?: readonly MetricStatus[];
  readonly error?: string;
}

function isProblem(proposal: Proposal | NoProposal): proposal is NoProposal {
  return "error" in proposal;
}

const UNKNOWN: MetricStatus = { type: "" };

function* askMetrics(look: Look, found: Scale, world: World): Steps<Asked> {
  const { autoscaler } = look;
  const { metrics: specs = [] } = autoscaler.spec;
  const refusal = selectorProblem(autoscaler, found, world);
  if (refusal !== undefined) {
    yield* tell(autoscaler, "Warning", refusal.event, refusal.message);
    look.say("ScalingActive", "False", refusal.reason, refusal.said);
    return { error: refusal.message };
  }
  const measured = measuredOf(autoscaler, found, world);
  const proposals: (Proposal | NoProposal)[] = [];
  for (const spec of specs) {
    const proposal = proposalOf(spec, measured);
    proposals.push(proposal);
    if (isProblem(proposal)) yield* tell(autoscaler, "Warning", proposal.reason, proposal.message);
  }
  const metrics = proposals.map((proposal) => (isProblem(proposal) ? UNKNOWN : proposal.status));
  const failed = proposals.filter(isProblem);
  const valid = proposals.filter((proposal): proposal is Proposal => !isProblem(proposal));
  const best = valid.reduce<Proposal | undefined>(
    (most, each) => (most === undefined || each.replicas > most.replicas ? each : most),
    undefined,
  );
  const [first] = failed;
  // With some unknown, what is known may ask for more but not for less.
  if (best === undefined || (first !== undefined && best.replicas < found.wanted)) {
    if (first !== undefined)
      look.say(
        "ScalingActive",
        "False",
        first.reason,
        `the HPA was unable to compute the replica count: ${first.message}`,
      );
    const error = `invalid metrics (${failed.length} invalid out of ${specs.length}), first error is: ${first?.error}`;
    return { metrics, error };
  }
  const message = `the HPA was able to successfully calculate a replica count from ${best.metric}`;
  look.say("ScalingActive", "True", "ValidMetricFound", message);
  return { best, metrics };
}

function measuredOf(autoscaler: Autoscaler, found: Scale, { state, behaviours, now }: World): Measured {
  const namespace = autoscaler.metadata.namespace ?? "";
  const requirements = parseLabelSelector(found.selector);
  const pods = state
    .list("pods", namespace)
    .filter((pod) => matchesRequirements(requirements, pod.metadata.labels))
    .map(podOf);
  return { namespace, pods, current: found.wanted, tolerances: tolerancesOf(autoscaler), behaviours, nowMs: now() };
}

function tolerancesOf({ spec }: Autoscaler): Tolerances {
  const read = (text: string | undefined): number =>
    text === undefined ? TOLERANCE : quantityFloat(parseQuantity(text));
  return { up: read(spec.behavior?.scaleUp?.tolerance), down: read(spec.behavior?.scaleDown?.tolerance) };
}

interface SelectorProblem {
  readonly event: string;
  readonly reason: string;
  readonly message: string;
  readonly said: string;
}

/** Why the Pods of the target cannot be told from others'. */
function selectorProblem(autoscaler: Autoscaler, found: Scale, { state }: World): SelectorProblem | undefined {
  if (found.selector === "") {
    const said = "the HPA target's scale is missing a selector";
    return { event: "SelectorRequired", reason: "InvalidSelector", message: "selector is required", said };
  }
  const { namespace = "" } = autoscaler.metadata;
  const others = (state.list(AUTOSCALERS, namespace) as Autoscaler[]).filter((each) => each !== autoscaler);
  if (others.length === 0) return undefined;
  const requirements = parseLabelSelector(found.selector);
  const pods = state.list("pods", namespace).filter((pod) => matchesRequirements(requirements, pod.metadata.labels));
  const rivals = others.filter((other) => selectsAny(other, pods, namespace, state));
  if (rivals.length === 0) return undefined;
  const names = [autoscaler, ...rivals].map((each) => each.metadata.name ?? "").sort();
  const keys = names.map((name) => `{${name} ${namespace}}`).join(" ");
  const message = `pods by selector ${found.selector} are controlled by multiple HPAs: [${keys}]`;
  return { event: "AmbiguousSelector", reason: "AmbiguousSelector", message, said: message };
}

function selectsAny(other: Autoscaler, pods: readonly KubeObject[], namespace: string, state: World["state"]): boolean {
  const scale = scaleOf(other.spec.scaleTargetRef, namespace, state);
  if (!isScale(scale) || scale.selector === "") return false;
  const requirements = parseLabelSelector(scale.selector);
  return pods.some((pod) => matchesRequirements(requirements, pod.metadata.labels));
}

function whyNoScale({ apiVersion = "", kind, name }: ScaleTarget, none: NoScale): string {
  switch (none.why) {
    case "unknown kind":
      return `no matches for kind "${kind}" in group "${parseApiVersion(apiVersion).group}"`;
    case "not scalable":
      return "the server could not find the requested resource";
    case "absent":
      return `${none.resource} "${name}" not found`;
  }
}
