// Rules of what a FederatedHPA measures and how fast it may follow, as Kubernetes has them for its own autoscaler and
// Karmada takes them over (pkg/util/lifted/validatingfhpa.go).
import { checkDnsLabel } from "../../kube/names.ts";
import { quantityFromJson, quantitySign } from "../../kube/quantity.ts";
import type { CrossVersionObjectReference, FederatedHPASpec, MetricSpec, ScalingRules } from "../autoscaling.ts";
import { forbidden, invalid, notSupported, type Refusal, required } from "./field-error.ts";

const SOURCES = ["object", "pods", "resource", "containerResource"] as const;
type Source = (typeof SOURCES)[number];
const SOURCE_OF_TYPE: Readonly<Record<string, Source>> = {
  Object: "object",
  Pods: "pods",
  Resource: "resource",
  ContainerResource: "containerResource",
};
const TYPES = Object.keys(SOURCE_OF_TYPE).sort();
const TARGET_TYPES = ["Utilization", "Value", "AverageValue"];
const SELECT_POLICIES = ["Disabled", "Max", "Min"];
const POLICY_TYPES = ["Percent", "Pods"];
const LONGEST_WINDOW_S = 3600;
const LONGEST_PERIOD_S = 1800;

type Target = NonNullable<MetricSpec["resource"]>["target"];

/** A name that stands in a path. */
export function validatePathName(value: string, field: string, missing: string): Refusal[] {
  if (value === "") return [required(field, missing)];
  if (value === "." || value === "..") return [invalid(field, value, `may not be '${value}'`)];
  return ["/", "%"]
    .filter((sign) => value.includes(sign))
    .map((sign) => invalid(field, value, `may not contain '${sign}'`));
}

export function validateReference({ kind, name }: CrossVersionObjectReference, at: string): Refusal[] {
  return [
    ...validatePathName(kind, `${at}.kind`, "says what is meant"),
    ...validatePathName(name, `${at}.name`, "says what is meant"),
  ];
}

export function validateMetrics(metrics: readonly MetricSpec[], at: string): Refusal[] {
  return metrics.flatMap((metric, index) => validateMetric(metric, `${at}[${index}]`));
}

function validateMetric(metric: MetricSpec, at: string): Refusal[] {
  const refusals: Refusal[] = [];
  if (metric.type === "") refusals.push(required(`${at}.type`, "says which of the fields is set"));
  const expected = SOURCE_OF_TYPE[metric.type];
  if (expected === undefined) refusals.push(notSupported(`${at}.type`, metric.type, TYPES));
  const present = SOURCES.filter((source) => metric[source] !== undefined);
  // As Kubernetes: of several the first is looked at.
  const [first] = present;
  if (first !== undefined) refusals.push(...validateSource(metric, first, `${at}.${first}`));
  if (expected !== undefined && metric[expected] === undefined) {
    refusals.push(required(`${at}.${expected}`, `a metric of type ${metric.type} is told by it`));
  }
  if (present.length > 1) {
    for (const source of present) {
      if (source === expected) continue;
      refusals.push(forbidden(`${at}.${source}`, `a metric of type ${metric.type} has no ${source}`));
    }
  }
  return refusals;
}

function validateSource(
  { object, pods, resource, containerResource }: MetricSpec,
  source: Source,
  at: string,
): Refusal[] {
  const target = `${at}.target`;
  if (source === "object" && object !== undefined) {
    const refusals = [
      ...validateReference(object.describedObject, `${at}.describedObject`),
      ...validatePathName(object.metric.name, `${at}.metric.name`, "says what is measured"),
      ...validateTarget(object.target, target),
    ];
    if (object.target.value === undefined && object.target.averageValue === undefined) {
      refusals.push(required(`${target}.averageValue`, "the target needs value or averageValue"));
    }
    return refusals;
  }
  if (source === "pods" && pods !== undefined) {
    const refusals = [
      ...validatePathName(pods.metric.name, `${at}.metric.name`, "says what is measured"),
      ...validateTarget(pods.target, target),
    ];
    if (pods.target.averageValue === undefined) refusals.push(required(`${target}.averageValue`, "must be given"));
    return refusals;
  }
  const use = source === "resource" ? resource : containerResource;
  if (use === undefined) return [];
  const refusals = use.name === "" ? [required(`${at}.name`, "says which resource is measured")] : [];
  if (containerResource !== undefined && source === "containerResource") {
    const { container } = containerResource;
    if (container === "") refusals.push(required(`${at}.container`, "says which container is measured"));
    else refusals.push(...checkDnsLabel(container).map((words) => invalid(`${at}.container`, container, words)));
  }
  return [...refusals, ...validateTarget(use.target, target), ...validateUse(use.target, target)];
}

/** The use of a resource is held at a share of what is asked for, or at an amount. */
function validateUse({ averageUtilization, averageValue }: Target, at: string): Refusal[] {
  if (averageUtilization === undefined && averageValue === undefined) {
    return [required(`${at}.averageUtilization`, "the target needs averageUtilization or averageValue")];
  }
  if (averageUtilization === undefined || averageValue === undefined) return [];
  return [forbidden(`${at}.averageValue`, "cannot stand beside averageUtilization")];
}

function validateTarget({ type, value, averageValue, averageUtilization }: Target, at: string): Refusal[] {
  const refusals: Refusal[] = [];
  if (type === "") refusals.push(required(`${at}.type`, `there are ${TARGET_TYPES.join(", ")}`));
  if (!TARGET_TYPES.includes(type)) refusals.push(invalid(`${at}.type`, type, `there are ${TARGET_TYPES.join(", ")}`));
  for (const [key, amount] of [
    ["value", value],
    ["averageValue", averageValue],
  ] as const) {
    if (amount !== undefined && quantitySign(quantityFromJson(amount)) <= 0) {
      refusals.push(invalid(`${at}.${key}`, amount, "must be more than 0"));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    refusals.push(invalid(`${at}.averageUtilization`, averageUtilization, "must be more than 0"));
  }
  return refusals;
}

export function validateBehavior(behavior: FederatedHPASpec["behavior"], at: string): Refusal[] {
  return (["scaleUp", "scaleDown"] as const).flatMap((way) => {
    const rules = behavior?.[way];
    return rules === undefined ? [] : validateRules(rules, `${at}.${way}`);
  });
}

function validateRules({ stabilizationWindowSeconds, selectPolicy, policies }: ScalingRules, at: string): Refusal[] {
  const refusals: Refusal[] = [];
  const window = stabilizationWindowSeconds ?? 0;
  if (window < 0 || window > LONGEST_WINDOW_S) {
    refusals.push(invalid(`${at}.stabilizationWindowSeconds`, window, `must be between 0 and ${LONGEST_WINDOW_S}`));
  }
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy)) {
    refusals.push(notSupported(`${at}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  }
  // Where none are written, Kubernetes' usual ones hold.
  if (policies?.length === 0) refusals.push(required(`${at}.policies`, "give at least one, or leave it out"));
  for (const [index, { type, value, periodSeconds }] of (policies ?? []).entries()) {
    const path = `${at}.policies[${index}]`;
    if (!POLICY_TYPES.includes(type)) refusals.push(notSupported(`${path}.type`, type, POLICY_TYPES));
    if (value <= 0) refusals.push(invalid(`${path}.value`, value, "must be more than 0"));
    if (periodSeconds <= 0 || periodSeconds > LONGEST_PERIOD_S) {
      refusals.push(invalid(`${path}.periodSeconds`, periodSeconds, `must be between 1 and ${LONGEST_PERIOD_S}`));
    }
  }
  return refusals;
}
