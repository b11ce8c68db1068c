// The words our kinds are written in: zod schemas of what Kubernetes' own types have in common. Every object is strict,
// so that checking a file finds misspelt fields; `.meta()` carries what only the CRD can say.
import { z } from "zod";
import type { Condition, ManagedFieldsEntry, ObjectMeta } from "../kube/object.ts";

export const int32 = z.int().meta({ format: "int32" });
export const int64 = z.int().meta({ format: "int64" });

/** A time as RFC 3339 text. */
export const time = z.string().meta({ format: "date-time" });

const quantityPattern =
  "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$";

/** A Kubernetes quantity as it may stand in a manifest: `500m`, `1Gi` or a bare number. */
export const quantity = z
  .union([z.string().regex(new RegExp(quantityPattern), "must be a quantity such as 500m or 1Gi"), z.int()])
  .meta({ "x-kubernetes-int-or-string": true, pattern: quantityPattern });

/** Any JSON value, kept as it is. */
export const anyJson = z.unknown().meta({ "x-kubernetes-preserve-unknown-fields": true });

/** An object whose fields we do not know. */
export const anyObject = z
  .record(z.string(), z.unknown())
  .meta({ type: "object", "x-kubernetes-preserve-unknown-fields": true });

const texts = z.record(z.string(), z.string());

/** Metadata of any object. CRDs leave it to the API server. */
export const objectMeta = z.strictObject({
  annotations: texts.exactOptional(),
  creationTimestamp: z.string().nullable().exactOptional(),
  deletionGracePeriodSeconds: z.int().exactOptional(),
  deletionTimestamp: z.string().exactOptional(),
  finalizers: z.array(z.string()).exactOptional(),
  generateName: z.string().exactOptional(),
  generation: z.int().exactOptional(),
  labels: texts.exactOptional(),
  managedFields: z.array(z.custom<ManagedFieldsEntry>(isPlainObject, "expected an object")).exactOptional(),
  name: z.string().exactOptional(),
  namespace: z.string().exactOptional(),
  ownerReferences: z
    .array(
      z.strictObject({
        apiVersion: z.string(),
        blockOwnerDeletion: z.boolean().exactOptional(),
        controller: z.boolean().exactOptional(),
        kind: z.string(),
        name: z.string(),
        uid: z.string(),
      }),
    )
    .exactOptional(),
  resourceVersion: z.string().exactOptional(),
  selfLink: z.string().exactOptional(),
  uid: z.string().exactOptional(),
}) satisfies z.ZodType<ObjectMeta>;

export const labelSelectorRequirementSchema = z.strictObject({
  key: z.string().describe("Label that is looked at."),
  operator: z.string().describe("In, NotIn, Exists or DoesNotExist."),
  values: z
    .array(z.string())
    .meta({ "x-kubernetes-list-type": "atomic" })
    .optional()
    .describe("Values for In and NotIn; empty for Exists and DoesNotExist."),
});
export type LabelSelectorRequirement = z.infer<typeof labelSelectorRequirementSchema>;

export const labelSelectorSchema = z
  .strictObject({
    matchExpressions: z
      .array(labelSelectorRequirementSchema)
      .meta({ "x-kubernetes-list-type": "atomic" })
      .optional()
      .describe("Requirements that must all hold."),
    matchLabels: z.record(z.string(), z.string()).optional().describe("Labels that must have exactly these values."),
  })
  .meta({ "x-kubernetes-map-type": "atomic" });
export type LabelSelector = z.infer<typeof labelSelectorSchema>;

const conditionType =
  "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";
const conditionReason = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";

export const conditionSchema = z.strictObject({
  lastTransitionTime: time.describe("When the status last changed."),
  message: z.string().max(32768).describe("What happened, for people."),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: "int64" })
    .exactOptional()
    .describe("Generation of the object that this condition speaks of."),
  reason: z.string().min(1).max(1024).regex(new RegExp(conditionReason)).describe("Why, as one word in CamelCase."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether the condition holds."),
  type: z.string().max(316).regex(new RegExp(conditionType)).describe("What the condition is about."),
}) satisfies z.ZodType<Condition>;

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
