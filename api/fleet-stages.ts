// Stages of a scenario, in the style of kwok: which objects, after how long, what becomes of them.
import { z } from "zod";
import { compileJsonPath } from "../kube/jsonpath.ts";
import { messageOf } from "../runtime/errors.ts";
import { faultDuration, faultTargetSchema } from "./fleet-faults.ts";
import { fleetTexts } from "./fleet-values.ts";

const jsonPath = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    try {
      compileJsonPath(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: messageOf(error) });
    }
  });

const expressionSchema = z
  .strictObject({
    key: jsonPath.describe('JSONPath of what is looked at, such as .status.conditions[?(@.type=="Ready")].status'),
    operator: z
      .enum(["In", "NotIn", "Exists", "DoesNotExist"])
      .describe("In: something at the path is one of the values. NotIn: nothing there is."),
    values: z.array(z.string()).min(1).optional().describe("For In and NotIn."),
  })
  .superRefine(({ operator, values }, context) => {
    const needsValues = operator === "In" || operator === "NotIn";
    if (needsValues === (values !== undefined)) return;
    const message = needsValues ? `${operator} needs values` : `${operator} takes no values`;
    context.addIssue({ code: "custom", path: ["values"], message });
  });

const finalizerList = z
  .array(z.strictObject({ value: z.string().min(1).describe("The finalizer, such as example.com/protected.") }))
  .min(1);

const nextSchema = z
  .strictObject({
    kubelet: z
      .enum(["run", "heartbeat"])
      .optional()
      .describe("Leaves the object to its kubelet: run for Pods, heartbeat for Nodes. Stands alone."),
    statusPatch: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(
        "Merged into the status; conditions by their type, lists of things with names by those. $(.spec.nodeName) stands for what is at a path of the object, $(now) for the time.",
      ),
    finalizers: z
      .strictObject({
        add: finalizerList.optional().describe("Finalizers that it gets."),
        remove: finalizerList.optional().describe("Finalizers that it loses."),
        empty: z.boolean().optional().describe("true: all are removed."),
      })
      .optional()
      .describe("What becomes of its finalizers."),
    event: z
      .strictObject({
        type: z.enum(["Normal", "Warning"]).default("Normal"),
        reason: z.string().min(1).describe("In one word, such as Started."),
        message: z.string().describe("In a sentence."),
      })
      .optional()
      .describe("Told about the object."),
    delete: z.boolean().optional().describe("true: the object is deleted, without a grace period."),
  })
  .superRefine((next, context) => {
    const parts = Object.keys(next);
    if (parts.length === 0)
      context.addIssue({
        code: "custom",
        message: "must say what becomes of the object: one of kubelet, statusPatch, finalizers, event, delete",
      });
    if (next.kubelet !== undefined && parts.length > 1)
      context.addIssue({
        code: "custom",
        path: ["kubelet"],
        message: "the kubelet decides itself what becomes of the object: nothing may stand beside kubelet",
      });
  });

/** An entry of `stages`. */
export const fleetStageSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .describe(
        "Name of the stage. One of the shipped stages (pod-run, node-heartbeat) is replaced by a stage of its name.",
      ),
    target: faultTargetSchema.optional().describe("The clusters; all when absent."),
    resourceRef: z
      .strictObject({
        apiGroup: z.string().min(1).default("v1").describe("Group and version, such as apps/v1. The default is v1."),
        kind: z.string().min(1).describe("Kind of the objects: Pod, Node or another."),
      })
      .describe("Which kind of objects."),
    selector: z
      .strictObject({
        matchLabels: fleetTexts.optional().describe("Labels that the object has."),
        matchAnnotations: fleetTexts.optional().describe("Annotations that the object has."),
        matchExpressions: z
          .array(expressionSchema)
          .min(1)
          .optional()
          .describe("What must be found at paths of the object."),
      })
      .describe("Which objects are at this stage; everything that is said must hold."),
    weight: z
      .int()
      .min(0)
      .default(0)
      .describe(
        "How likely the stage is among those that an object is at. Where all weigh nothing, the first one counts.",
      ),
    delay: z
      .strictObject({
        duration: faultDuration.describe("How long an object is at the stage before it goes on."),
        jitterDuration: faultDuration
          .optional()
          .describe("The longest that it may be, by chance, when that is longer than the duration."),
      })
      .optional()
      .describe("How long an object is at the stage; it goes on at once when absent."),
    next: nextSchema.describe("What becomes of the object."),
  })
  .describe(
    "What becomes of objects that fit the selector. It takes the place of the kubelet for Pods and Nodes that fit.",
  );
/** An entry of `stages`, defaulted. */
export type FleetStage = z.output<typeof fleetStageSchema>;
