// ValidatingAdmissionPolicies: what their expressions say of a write.
import { BOOL, NULL, STRING } from "../../../../kube/cel/types.ts";
import type { JsonObject, KubeObject } from "../../../../kube/object.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../../registry/admission.ts";
import { qualifiedResource, type StatusError, statusError } from "../../registry/status-error.ts";
import { compileMatchConditions, type MatchCondition, type MatchConditions } from "../match-conditions.ts";
import { isExemptFromAdmission } from "../match-resources.ts";
import { resourceOf } from "../webhooks/match-target.ts";
import {
  type CompiledExpression,
  type NamedExpression,
  OutOfBudget,
  type PolicyEvaluation,
  PolicyVariables,
} from "./policy-expressions.ts";
import { matchPolicy, type PolicyInvocation, type PolicyServer, policyVariables } from "./policy-invocations.ts";
import { type PolicyBinding, PolicySet, specOf } from "./policy-set.ts";

const KINDS = {
  policies: "admissionregistration.k8s.io/validatingadmissionpolicies",
  bindings: "admissionregistration.k8s.io/validatingadmissionpolicybindings",
};
const LONGEST_MESSAGE = 5 * 1024;
const LONGEST_ANNOTATION = 10 * 1024;
const FAILURE_ANNOTATION = "validation.policy.admission.k8s.io/validation_failure";

interface Validation {
  readonly expression: CompiledExpression;
  readonly messageExpression: CompiledExpression | undefined;
  readonly message: string;
  readonly reason: string;
}

interface CompiledPolicy {
  readonly variables: PolicyVariables;
  readonly conditions: MatchConditions | undefined;
  readonly validations: readonly Validation[];
  readonly annotations: readonly { readonly key: string; readonly value: CompiledExpression }[];
}

function compilePolicy(policy: KubeObject): CompiledPolicy {
  const spec = specOf(policy);
  const params = spec["paramKind"] !== undefined;
  const variables = new PolicyVariables(params);
  // Typed by the field table and validated when it was written.
  const list = <T>(field: string): readonly T[] => (spec[field] ?? []) as unknown as readonly T[];
  for (const variable of list<NamedExpression>("variables")) variables.add(variable);
  const conditions = list<MatchCondition>("matchConditions");
  type Written = { expression: string; message?: string; messageExpression?: string; reason?: string };
  return {
    variables,
    conditions: conditions.length === 0 ? undefined : compileMatchConditions(conditions, { params }),
    validations: list<Written>("validations").map(({ expression, message = "", messageExpression = "", reason }) => ({
      expression: variables.compile(expression, [BOOL]),
      messageExpression:
        messageExpression === "" ? undefined : variables.compile(messageExpression, [STRING], { authorizer: false }),
      message: message.trim(),
      reason: reason ?? "Invalid",
    })),
    annotations: list<{ key: string; valueExpression: string }>("auditAnnotations").map(({ key, valueExpression }) => ({
      key,
      value: variables.compile(valueExpression.trim(), [STRING, NULL]),
    })),
  };
}

/** What one validation decides. `index` is its place in the policy. */
interface Denial {
  readonly message: string;
  readonly reason: string;
  readonly index: number;
}

interface Outcome {
  readonly denials: readonly Denial[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Annotations that could not be made: these deny whatever the binding's actions are. */
  readonly failures: readonly string[];
}

const NOTHING: Outcome = { denials: [], annotations: [], failures: [] };

/** Evaluates the stored ValidatingAdmissionPolicies. */
export function validatingPolicies(server: PolicyServer): AdmissionPlugin {
  const policies = new PolicySet(server.store, server.registry, KINDS, compilePolicy);
  return {
    handles: (kind, operation) =>
      policies.candidates(resourceOf(kind), operation).length > 0 && !isExemptFromAdmission(kind),
    validate(request) {
      let first: StatusError | undefined;
      for (const policy of policies.candidates(resourceOf(request.target), request.operation)) {
        const annotations = new Map<string, string[]>();
        for (const match of matchPolicy(policy, request, server)) {
          if ("message" in match) {
            if (!policy.ignoresFailure)
              first ??= refusal(request, policy.name, match.binding, match.message, "Invalid");
            continue;
          }
          for (const params of match.params) {
            const outcome = evaluate(match, params, request, server);
            const refused = act(match, outcome, request);
            first ??= refused;
            for (const { key, value } of outcome.annotations) {
              const known = annotations.get(key) ?? [];
              if (!known.includes(value)) annotations.set(key, [...known, value]);
            }
          }
        }
        for (const [key, values] of annotations) request.annotate(`${policy.name}/${key}`, values.join(", "));
      }
      if (first !== undefined) throw first;
      return [];
    },
  };
}

function evaluate(
  { policy, matched }: PolicyInvocation<CompiledPolicy>,
  params: KubeObject | null,
  request: AdmissionRequest,
  server: PolicyServer,
): Outcome {
  const { compiled, ignoresFailure } = policy;
  const failed = (message: string): Outcome =>
    ignoresFailure ? NOTHING : { ...NOTHING, denials: [{ message, reason: "Invalid", index: 0 }] };
  const variables = policyVariables(request, matched, params, server);
  const chosen = compiled.conditions?.evaluateWith(variables) ?? "match";
  if (chosen === "no-match") return NOTHING;
  if (chosen !== "match") return failed(chosen.error);
  try {
    const evaluation = compiled.variables.evaluation(variables);
    const denials = validate(compiled.validations, evaluation, ignoresFailure);
    evaluation.refill();
    return { denials, ...annotate(compiled, evaluation, ignoresFailure) };
  } catch (error) {
    if (error instanceof OutOfBudget) return failed(error.message);
    throw error;
  }
}

function validate(
  validations: readonly Validation[],
  evaluation: PolicyEvaluation,
  ignoresFailure: boolean,
): readonly Denial[] {
  const denials: Denial[] = [];
  for (const [index, validation] of validations.entries()) {
    const result = evaluation.evaluate(validation.expression);
    if ("error" in result) {
      if (!ignoresFailure) denials.push({ message: result.error, reason: "Invalid", index });
    } else if (result.value !== true) {
      denials.push({ message: messageOf(validation, evaluation), reason: validation.reason, index });
    }
  }
  return denials;
}

function messageOf({ expression, message, messageExpression }: Validation, evaluation: PolicyEvaluation): string {
  const made = messageExpression === undefined ? undefined : evaluation.evaluate(messageExpression);
  if (made !== undefined && "value" in made && typeof made.value === "string") {
    const text = made.value.trim();
    if (text !== "" && !text.includes("\n") && Buffer.byteLength(text) <= LONGEST_MESSAGE) return text;
  }
  return message === "" ? `failed expression: ${expression.expression.trim()}` : message;
}

function annotate(
  { annotations }: CompiledPolicy,
  evaluation: PolicyEvaluation,
  ignoresFailure: boolean,
): Pick<Outcome, "annotations" | "failures"> {
  const made: { key: string; value: string }[] = [];
  const failures: string[] = [];
  for (const { key, value } of annotations) {
    const result = evaluation.evaluate(value);
    if ("error" in result) {
      if (!ignoresFailure) failures.push(result.error);
    } else if (typeof result.value === "string" && result.value.trim() !== "") {
      made.push({ key, value: result.value.trim().slice(0, LONGEST_ANNOTATION) });
    }
  }
  return { annotations: made, failures };
}

/** Warns, records and refuses as the binding asks; answers the first refusal. */
function act(
  { policy, binding }: PolicyInvocation<CompiledPolicy>,
  { denials, failures }: Outcome,
  request: AdmissionRequest,
): StatusError | undefined {
  let first: StatusError | undefined;
  for (const { message, reason, index } of denials) {
    for (const action of binding.actions) {
      if (action === "Deny") first ??= refusal(request, policy.name, binding, message, reason);
      else if (action === "Warn") {
        const by = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}'`;
        request.warn(`Validation failed for ${by}: ${message}`);
      } else {
        const failure = {
          message,
          policy: policy.name,
          binding: binding.name,
          expressionIndex: index,
          validationActions: binding.actions,
        };
        request.annotate(FAILURE_ANNOTATION, JSON.stringify([failure]));
      }
    }
  }
  for (const message of failures) first ??= refusal(request, policy.name, binding, message, "Invalid");
  return first;
}

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

function refusal(
  request: AdmissionRequest,
  policy: string,
  binding: PolicyBinding | undefined,
  why: string,
  reason: string,
): StatusError {
  const by = binding === undefined ? `'${policy}'` : `'${policy}' with binding '${binding.name}'`;
  const message = `ValidatingAdmissionPolicy ${by} denied request: ${why}`;
  return policyRefusal(
    request,
    message,
    reason,
    CODES[reason] ?? 422,
    (subject) => `${subject} is forbidden: ${message}`,
  );
}

/** A refusal about the object of a request, with the message as its cause. */
export function policyRefusal(
  { target, name, object }: AdmissionRequest,
  cause: string,
  reason: string,
  code: number,
  text: (subject: string) => string,
): StatusError {
  const resource = { group: target.group, resource: target.plural };
  const shown = name === "" ? (object.metadata?.generateName ?? "") : name;
  const subject =
    shown === "" ? qualifiedResource(resource) : `${qualifiedResource(resource)} ${JSON.stringify(shown)}`;
  const details: JsonObject = {
    ...(shown === "" ? {} : { name: shown }),
    ...(target.group === "" ? {} : { group: target.group }),
    kind: target.plural,
    causes: [{ message: cause }],
  };
  return statusError(code, reason, text(subject), details);
}
