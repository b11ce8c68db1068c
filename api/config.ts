// config.karmada.io/v1alpha1: rules of one's own for what a kind's replicas, health, status and dependencies mean.
import { z } from "zod";
import { int32, objectMeta } from "./schema.ts";

export const CONFIG_GROUP = "config.karmada.io";

/** One Lua function; each operation has its own type in Karmada, all of this shape. */
export const luaRuleSchema = z.strictObject({
  luaScript: z.string().describe("Lua source that defines the function of this operation."),
});
export type LuaRule = z.infer<typeof luaRuleSchema>;

export const customizationTargetSchema = z.strictObject({
  apiVersion: z.string().describe("API version of the kind."),
  kind: z.string().describe("The kind."),
});
export type CustomizationTarget = z.infer<typeof customizationTargetSchema>;

export const customizationRulesSchema = z.strictObject({
  componentResource: luaRuleSchema
    .optional()
    .describe("GetComponents: the parts of an object with several pod templates."),
  dependencyInterpretation: luaRuleSchema.optional().describe("GetDependencies: the objects an object refers to."),
  healthInterpretation: luaRuleSchema.optional().describe("InterpretHealth: whether a copy is healthy."),
  replicaResource: luaRuleSchema.optional().describe("GetReplicas: the wanted replicas, and what one needs."),
  replicaRevision: luaRuleSchema.optional().describe("ReviseReplica: the object with another number of replicas."),
  retention: luaRuleSchema.optional().describe("Retain: what a cluster may change in its copy."),
  statusAggregation: luaRuleSchema.optional().describe("AggregateStatus: one status out of those of the copies."),
  statusReflection: luaRuleSchema.optional().describe("ReflectStatus: the part of a copy's status that is collected."),
});
export type CustomizationRules = z.infer<typeof customizationRulesSchema>;

/**
 * Which operation of the interpreter each rule is for, and the function that its script defines; in the order in which
 * `karmadactl interpret` lists them.
 */
export const CUSTOMIZATION_OPERATIONS = [
  { rule: "retention", operation: "Retain", functionName: "Retain" },
  { rule: "replicaResource", operation: "InterpretReplica", functionName: "GetReplicas" },
  { rule: "componentResource", operation: "InterpretComponent", functionName: "GetComponents" },
  { rule: "replicaRevision", operation: "ReviseReplica", functionName: "ReviseReplica" },
  { rule: "statusReflection", operation: "InterpretStatus", functionName: "ReflectStatus" },
  { rule: "statusAggregation", operation: "AggregateStatus", functionName: "AggregateStatus" },
  { rule: "healthInterpretation", operation: "InterpretHealth", functionName: "InterpretHealth" },
  { rule: "dependencyInterpretation", operation: "InterpretDependency", functionName: "GetDependencies" },
] as const satisfies readonly { rule: keyof CustomizationRules; operation: string; functionName: string }[];

export const resourceInterpreterCustomizationSpecSchema = z.strictObject({
  customizations: customizationRulesSchema.describe("The rules."),
  target: customizationTargetSchema.describe("The kind they are for."),
});
export type ResourceInterpreterCustomizationSpec = z.infer<typeof resourceInterpreterCustomizationSpecSchema>;

export const resourceInterpreterCustomizationSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ResourceInterpreterCustomization"),
    metadata: objectMeta,
    spec: resourceInterpreterCustomizationSpecSchema.describe("Rules for a kind."),
  })
  .describe("Explains a kind by Lua scripts.");
export type ResourceInterpreterCustomization = z.infer<typeof resourceInterpreterCustomizationSchema>;

export const interpreterServiceReferenceSchema = z.strictObject({
  name: z.string().describe("Name of the Service."),
  namespace: z.string().describe("Namespace of the Service."),
  path: z.string().optional().describe("Path of the requests."),
  port: int32.optional().describe("Port of the Service; 443 when absent."),
});

export const interpreterClientConfigSchema = z.strictObject({
  caBundle: z.string().meta({ format: "byte" }).optional().describe("Certificates that sign the server's, as PEM."),
  service: interpreterServiceReferenceSchema.optional().describe("Service in front of the webhook; excludes url."),
  url: z.string().optional().describe("Address of the webhook; excludes service."),
});
export type InterpreterClientConfig = z.infer<typeof interpreterClientConfigSchema>;

export const ruleWithOperationsSchema = z.strictObject({
  apiGroups: z.array(z.string()).describe("API groups; * is all."),
  apiVersions: z.array(z.string()).describe("API versions; * is all."),
  kinds: z.array(z.string()).describe("Kinds; * is all."),
  operations: z.array(z.string()).describe("Operations, such as InterpretHealth; * is all."),
});
export type RuleWithOperations = z.infer<typeof ruleWithOperationsSchema>;

export const resourceInterpreterWebhookSchema = z.strictObject({
  clientConfig: interpreterClientConfigSchema.describe("How the webhook is reached."),
  interpreterContextVersions: z
    .array(z.string())
    .describe("Versions of the request the webhook understands; the first one known is sent."),
  name: z.string().describe("Full name of the webhook, unique in the object."),
  rules: z.array(ruleWithOperationsSchema).optional().describe("Kinds and operations the webhook is asked for."),
  timeoutSeconds: int32.optional().describe("Longest time to wait for an answer; 10 when absent."),
});
export type ResourceInterpreterWebhook = z.infer<typeof resourceInterpreterWebhookSchema>;

export const resourceInterpreterWebhookConfigurationSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("ResourceInterpreterWebhookConfiguration"),
    metadata: objectMeta,
    webhooks: z.array(resourceInterpreterWebhookSchema).describe("The webhooks."),
  })
  .describe("Explains kinds by asking webhooks.");
export type ResourceInterpreterWebhookConfiguration = z.infer<typeof resourceInterpreterWebhookConfigurationSchema>;
