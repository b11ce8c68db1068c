// What happens in a scenario, and when.
import { z } from "zod";
import { FAULT_SCHEMAS, type Fault, faultDuration, faultTargetSchema } from "./fleet-faults.ts";
import { fleetTexts } from "./fleet-values.ts";
import { anyJson, anyObject } from "./schema.ts";

const target = faultTargetSchema.optional().describe("The clusters that are meant; all of them when absent.");

/** An object of Kubernetes as a manifest holds it. Its kind is not ours to know. */
const manifest = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  metadata: z.looseObject({ name: z.string().min(1), namespace: z.string().optional() }),
});

/** Manifests from files or in place. */
export const fleetManifestsSchema = z
  .strictObject({
    target,
    files: z
      .array(z.string().min(1))
      .optional()
      .describe("Files of manifests, relative to the scenario. Each may hold several documents."),
    objects: z.array(manifest).optional().describe("Manifests, in place."),
  })
  .describe("Objects, in the order in which they are applied.");
/** Manifests from files or in place. */
export type FleetManifests = z.output<typeof fleetManifestsSchema>;

const objectFields = {
  apiVersion: z.string().min(1).describe("API version of the object, such as apps/v1."),
  kind: z.string().min(1).describe("Kind of the object, such as Deployment."),
  namespace: z
    .string()
    .optional()
    .describe("Namespace of the object. The default is default, for kinds that have namespaces."),
};

const fleetObjectSchema = z
  .strictObject({ target, ...objectFields, name: z.string().min(1).describe("Name of the object.") })
  .describe("An object of the clusters.");
/** Names objects of the clusters. */
export type FleetObject = z.output<typeof fleetObjectSchema>;

const fleetExpectationSchema = z
  .strictObject({
    target,
    reachable: z.boolean().optional().describe("Whether the API server of each cluster answers."),
    apiVersion: objectFields.apiVersion.optional(),
    kind: objectFields.kind.optional(),
    namespace: z.string().optional().describe("Namespace of the objects. The default is all of them."),
    name: z
      .string()
      .optional()
      .describe("Name of the object; a * stands for any text. The default is every object of the kind."),
    labels: fleetTexts.optional().describe("Labels that the objects have."),
    condition: z
      .string()
      .regex(/^[A-Za-z0-9./_-]+=(True|False|Unknown)$/, "must be a condition and its status, such as Available=True")
      .optional()
      .describe("A condition of status.conditions, such as Available=True, that every object has."),
    path: z
      .string()
      .optional()
      .describe(
        "JSONPath of a value in the objects, such as .status.readyReplicas. Without it, the objects are counted.",
      ),
    equals: anyJson.optional().describe("What the value, or the number of objects, is."),
    atLeast: z
      .number()
      .optional()
      .describe("What the value, or the sum of values or objects over the clusters, is at least."),
    atMost: z
      .number()
      .optional()
      .describe("What the value, or the sum of values or objects over the clusters, is at most."),
    each: z
      .boolean()
      .optional()
      .describe(
        "true: the number holds in each cluster. false: it holds of the sum over the clusters. The default is true.",
      ),
    within: faultDuration
      .optional()
      .describe("How long the fleet has until it is so. The default is 0s: it is so at this instant."),
  })
  .describe("What should be so. A scenario that is played tells of each expectation whether it held.");
/** What should be so at a time. */
export type FleetExpectation = z.output<typeof fleetExpectationSchema>;

/** The step says when a fault begins. */
const BY_STEP = ["at", "every", "times", "jitter"] as const;

const [first, ...others] = Object.values(FAULT_SCHEMAS).map(withoutBeginning);

/** A fault that begins when its step is taken. */
const stepFaultSchema = z.discriminatedUnion("type", [first!, ...others]).describe("A fault that begins.");

function withoutBeginning(schema: z.ZodObject): z.ZodObject {
  const left = Object.entries(schema.shape).filter(([name]) => !BY_STEP.some((each) => each === name));
  return z.strictObject(Object.fromEntries(left)).describe(schema.description ?? "");
}

/** An entry of `timeline`. */
export const fleetStepSchema = z
  .strictObject({
    at: faultDuration.describe("When it happens, from the start of the scenario."),
    every: faultDuration.optional().describe("It happens again after each such span."),
    times: z.int().min(1).optional().describe("How often it happens, with every. The default is until the end."),
    until: faultDuration.optional().describe("It does not happen again after this time from the start, with every."),
    jitter: faultDuration.optional().describe("It happens up to this much later each time, by the scenario's chance."),
    comment: z.string().optional().describe("Words that are told when the step is taken."),
    // Its type is that of each fault's schema, less when it begins.
    fault: (stepFaultSchema as unknown as z.ZodType<Omit<Fault, (typeof BY_STEP)[number]>>).optional(),
    end: z.string().min(1).optional().describe("Name of the fault that ends."),
    apply: fleetManifestsSchema.optional().describe("Manifests that are applied."),
    delete: fleetObjectSchema.optional().describe("An object that is deleted."),
    scale: fleetObjectSchema
      .extend({ replicas: z.int().min(0).describe("How many replicas it then wants.") })
      .optional()
      .describe("A workload that is scaled."),
    patch: fleetObjectSchema
      .extend({ patch: anyObject.describe("A merge patch (RFC 7386).") })
      .optional()
      .describe("An object that is changed."),
    expect: fleetExpectationSchema.optional().describe("What should be so at that time."),
  })
  .describe("A step: one of fault, end, apply, delete, scale, patch, expect, or a comment alone.");
/** An entry of `timeline`, defaulted. */
export type FleetStep = z.output<typeof fleetStepSchema>;

/** What a step may do; one of these, or none in a step that only comments. */
export const FLEET_STEP_ACTIONS = ["fault", "end", "apply", "delete", "scale", "patch", "expect"] as const;
