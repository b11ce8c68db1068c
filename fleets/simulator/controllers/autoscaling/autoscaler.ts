// A HorizontalPodAutoscaler as its controller reads it.
import type { KubeObject } from "../../../../kube/object.ts";
import type { LabelSelector } from "../../../../kube/selectors.ts";
import type { ScaleTarget } from "../scales.ts";

export interface MetricTarget {
  readonly type: "Utilization" | "Value" | "AverageValue";
  readonly value?: string;
  readonly averageValue?: string;
  readonly averageUtilization?: number;
}

interface MetricIdentifier {
  readonly name: string;
  readonly selector?: LabelSelector;
}

export interface MetricSpec {
  readonly type: "Object" | "Pods" | "Resource" | "ContainerResource" | "External";
  readonly resource?: { readonly name: string; readonly target: MetricTarget };
  readonly containerResource?: { readonly name: string; readonly container: string; readonly target: MetricTarget };
  readonly pods?: { readonly metric: MetricIdentifier; readonly target: MetricTarget };
  readonly object?: {
    readonly describedObject: ScaleTarget;
    readonly metric: MetricIdentifier;
    readonly target: MetricTarget;
  };
  readonly external?: { readonly metric: MetricIdentifier; readonly target: MetricTarget };
}

/** What a metric is at present; `{type: ""}` where that could not be told. */
export type MetricStatus = Readonly<Record<string, unknown>> & { readonly type: string };

export interface ScalingPolicy {
  readonly type: "Pods" | "Percent";
  readonly value: number;
  readonly periodSeconds: number;
}

export interface ScalingRules {
  readonly stabilizationWindowSeconds?: number;
  readonly selectPolicy?: "Max" | "Min" | "Disabled";
  readonly policies?: readonly ScalingPolicy[];
  readonly tolerance?: string;
}

export interface AutoscalerCondition {
  readonly type: "AbleToScale" | "ScalingActive" | "ScalingLimited";
  readonly status: "True" | "False" | "Unknown";
  readonly lastTransitionTime?: string;
  readonly reason: string;
  readonly message: string;
}

export interface AutoscalerStatus {
  readonly observedGeneration?: number;
  readonly lastScaleTime?: string;
  readonly currentReplicas?: number;
  readonly desiredReplicas?: number;
  readonly currentMetrics?: readonly MetricStatus[] | null;
  readonly conditions?: readonly AutoscalerCondition[];
}

/** A HorizontalPodAutoscaler of version 2, defaulted by the server. */
export interface Autoscaler extends KubeObject {
  readonly spec: {
    readonly scaleTargetRef: ScaleTarget;
    readonly minReplicas?: number;
    readonly maxReplicas: number;
    readonly metrics?: readonly MetricSpec[];
    readonly behavior?: { readonly scaleUp?: ScalingRules; readonly scaleDown?: ScalingRules };
  };
  readonly status?: AutoscalerStatus;
}

type Saying = Omit<AutoscalerCondition, "lastTransitionTime">;

/** The conditions with one said anew; its time moves with its status only. */
export function withCondition(
  conditions: readonly AutoscalerCondition[],
  saying: Saying,
  now: string,
): readonly AutoscalerCondition[] {
  const known = conditions.find(({ type }) => type === saying.type);
  const since = known?.status === saying.status ? known.lastTransitionTime : now;
  const said = { ...saying, ...(since === undefined ? {} : { lastTransitionTime: since }) };
  return known === undefined ? [...conditions, said] : conditions.map((each) => (each === known ? said : each));
}
