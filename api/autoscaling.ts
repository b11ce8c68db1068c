// autoscaling.karmada.io/v1alpha1: replicas that follow load or the clock, over all clusters together.
import { z } from "zod";
import { int32, int64, labelSelectorSchema, objectMeta, quantity, time } from "./schema.ts";

export const AUTOSCALING_GROUP = "autoscaling.karmada.io";

export const crossVersionObjectReferenceSchema = z.strictObject({
  apiVersion: z.string().optional().describe("API version of the object."),
  kind: z.string().describe("Kind of the object."),
  name: z.string().describe("Name of the object."),
});
export type CrossVersionObjectReference = z.infer<typeof crossVersionObjectReferenceSchema>;

export const metricTargetSchema = z.strictObject({
  averageUtilization: int32.optional().describe("Mean use over the pods, in percent of what they ask for."),
  averageValue: quantity.optional().describe("Mean over the pods."),
  type: z.string().describe("Utilization, Value or AverageValue."),
  value: quantity.optional().describe("The amount itself."),
});

export const metricIdentifierSchema = z.strictObject({
  name: z.string().describe("Name of the metric."),
  selector: labelSelectorSchema.optional().describe("Narrows the metric by its labels."),
});

const target = metricTargetSchema.describe("What the metric is held at.");
const metric = metricIdentifierSchema.describe("The metric.");
const describedObject = crossVersionObjectReferenceSchema.describe("The object the metric describes.");

export const metricSpecSchema = z.strictObject({
  containerResource: z
    .strictObject({
      container: z.string().describe("Name of the container."),
      name: z.string().describe("Name of the resource."),
      target,
    })
    .optional()
    .describe("Use of a resource by one container of each pod."),
  external: z.strictObject({ metric, target }).optional().describe("A metric from outside the cluster."),
  object: z.strictObject({ describedObject, metric, target }).optional().describe("A metric of one object."),
  pods: z.strictObject({ metric, target }).optional().describe("A metric of each pod."),
  resource: z
    .strictObject({ name: z.string().describe("Name of the resource."), target })
    .optional()
    .describe("Use of a resource by each pod."),
  type: z.string().describe("Which of the fields is set: ContainerResource, External, Object, Pods or Resource."),
});
export type MetricSpec = z.infer<typeof metricSpecSchema>;

export const scalingRulesSchema = z.strictObject({
  policies: z
    .array(
      z.strictObject({
        periodSeconds: int32.describe("Time in which the change is allowed."),
        type: z.string().describe("Pods or Percent."),
        value: int32.describe("The change that is allowed."),
      }),
    )
    .meta({ "x-kubernetes-list-type": "atomic" })
    .optional()
    .describe("Limits on how fast replicas change."),
  selectPolicy: z.string().optional().describe("Which limit counts: Max, Min or Disabled."),
  stabilizationWindowSeconds: int32.optional().describe("How long earlier recommendations still count."),
  tolerance: quantity.optional().describe("Deviation from the target that changes nothing."),
});
export type ScalingRules = z.infer<typeof scalingRulesSchema>;

export const federatedHPASpecSchema = z.strictObject({
  behavior: z
    .strictObject({
      scaleDown: scalingRulesSchema.optional().describe("Rules for fewer replicas."),
      scaleUp: scalingRulesSchema.optional().describe("Rules for more replicas."),
    })
    .optional()
    .describe("How fast replicas may change."),
  maxReplicas: int32.describe("Most replicas over all clusters."),
  metrics: z.array(metricSpecSchema).optional().describe("What is measured; the highest need counts."),
  minReplicas: int32.optional().describe("Fewest replicas over all clusters; 1 when absent."),
  scaleTargetRef: crossVersionObjectReferenceSchema.describe("The workload to scale."),
});
export type FederatedHPASpec = z.infer<typeof federatedHPASpecSchema>;

const current = z
  .strictObject({
    averageUtilization: int32.optional().describe("Mean use in percent."),
    averageValue: quantity.optional().describe("Mean over the pods."),
    value: quantity.optional().describe("The amount itself."),
  })
  .describe("What was measured.");

export const metricStatusSchema = z.strictObject({
  containerResource: z
    .strictObject({
      container: z.string().describe("Name of the container."),
      current,
      name: z.string().describe("Name of the resource."),
    })
    .optional()
    .describe("Use of a resource by one container of each pod."),
  external: z.strictObject({ current, metric }).optional().describe("A metric from outside the cluster."),
  object: z.strictObject({ current, describedObject, metric }).optional().describe("A metric of one object."),
  pods: z.strictObject({ current, metric }).optional().describe("A metric of each pod."),
  resource: z
    .strictObject({ current, name: z.string().describe("Name of the resource.") })
    .optional()
    .describe("Use of a resource by each pod."),
  type: z.string().describe("Which of the fields is set."),
});

export const federatedHPAStatusSchema = z.strictObject({
  conditions: z
    .array(
      z.strictObject({
        lastTransitionTime: time.optional().describe("When the status last changed."),
        message: z.string().optional().describe("What happened, for people."),
        reason: z.string().optional().describe("Why, as one word in CamelCase."),
        status: z.string().describe("True, False or Unknown."),
        type: z.string().describe("What the condition is about."),
      }),
    )
    .meta({ "x-kubernetes-list-map-keys": ["type"], "x-kubernetes-list-type": "map" })
    .optional()
    .describe("Whether scaling works and what bounds it."),
  currentMetrics: z
    .array(metricStatusSchema)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .optional()
    .describe("What was last measured."),
  currentReplicas: int32.optional().describe("Replicas when last seen."),
  desiredReplicas: int32.describe("Replicas last computed."),
  lastScaleTime: time.optional().describe("When replicas were last changed."),
  observedGeneration: int64.optional().describe("Generation that was dealt with."),
});
export type FederatedHPAStatus = z.infer<typeof federatedHPAStatusSchema>;

export const federatedHPASchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("FederatedHPA"),
    metadata: objectMeta,
    spec: federatedHPASpecSchema.describe("What to scale, and by what."),
    status: federatedHPAStatusSchema.optional().describe("What came of it."),
  })
  .describe("Scales a workload by its load over all clusters.");
export type FederatedHPA = z.infer<typeof federatedHPASchema>;

export const cronFederatedHPARuleSchema = z.strictObject({
  failedHistoryLimit: int32.min(0).max(32).meta({ default: 3 }).optional().describe("Failed runs to remember."),
  name: z.string().min(1).max(32).describe("Name of the rule, unique in the object."),
  schedule: z.string().describe("When the rule runs, as a cron expression."),
  successfulHistoryLimit: int32.min(1).max(32).meta({ default: 3 }).optional().describe("Successful runs to remember."),
  suspend: z.boolean().meta({ default: false }).optional().describe("Does not run."),
  targetMaxReplicas: int32.optional().describe("New maxReplicas, when a FederatedHPA is scaled."),
  targetMinReplicas: int32.optional().describe("New minReplicas, when a FederatedHPA is scaled."),
  targetReplicas: int32.optional().describe("New replicas, when a workload is scaled."),
  timeZone: z.string().optional().describe("Time zone of the schedule; that of the controller when empty."),
});
export type CronFederatedHPARule = z.infer<typeof cronFederatedHPARuleSchema>;

export const cronFederatedHPASpecSchema = z.strictObject({
  rules: z.array(cronFederatedHPARuleSchema).describe("What happens when."),
  scaleTargetRef: crossVersionObjectReferenceSchema.describe("The workload or FederatedHPA to scale."),
});
export type CronFederatedHPASpec = z.infer<typeof cronFederatedHPASpecSchema>;

export const executionHistorySchema = z.strictObject({
  failedExecutions: z
    .array(
      z.strictObject({
        executionTime: time.describe("When it ran."),
        message: z.string().describe("Why it failed."),
        scheduleTime: time.describe("When it should have run."),
      }),
    )
    .optional()
    .describe("Runs that failed."),
  nextExecutionTime: time.optional().describe("When the rule runs next."),
  ruleName: z.string().describe("Name of the rule."),
  successfulExecutions: z
    .array(
      z.strictObject({
        appliedMaxReplicas: int32.optional().describe("maxReplicas that was set."),
        appliedMinReplicas: int32.optional().describe("minReplicas that was set."),
        appliedReplicas: int32.optional().describe("Replicas that were set."),
        executionTime: time.describe("When it ran."),
        scheduleTime: time.describe("When it should have run."),
      }),
    )
    .optional()
    .describe("Runs that succeeded."),
});
export type ExecutionHistory = z.infer<typeof executionHistorySchema>;

export const cronFederatedHPAStatusSchema = z.strictObject({
  executionHistories: z.array(executionHistorySchema).optional().describe("Runs of each rule."),
});
export type CronFederatedHPAStatus = z.infer<typeof cronFederatedHPAStatusSchema>;

export const cronFederatedHPASchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("CronFederatedHPA"),
    metadata: objectMeta,
    spec: cronFederatedHPASpecSchema.describe("What to scale, and when."),
    status: cronFederatedHPAStatusSchema.optional().describe("What came of it."),
  })
  .describe("Scales a workload by the clock.");
export type CronFederatedHPA = z.infer<typeof cronFederatedHPASchema>;
