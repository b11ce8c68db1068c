// MutatingAdmissionPolicies: each on what the ones before it made.
import { cloneJson, equalJson, type KubeObject } from "../../../../kube/object.ts";
import { messageOf } from "../../../../runtime/errors.ts";
import type { AdmissionPlugin, AdmissionRequest, MutationRounds } from "../../registry/admission.ts";
import { type StatusError, StatusError as StatusErrorClass } from "../../registry/status-error.ts";
import { compileMatchConditions, type MatchCondition, type MatchConditions } from "../match-conditions.ts";
import { isExemptFromAdmission } from "../match-resources.ts";
import { resourceOf } from "../webhooks/match-target.ts";
import { compileMutation, type Mutation, type WrittenMutation } from "./mutations.ts";
import { type NamedExpression, OutOfBudget, PolicyVariables } from "./policy-expressions.ts";
import {
  matchPolicy,
  type PolicyInvocation,
  type PolicyServer,
  policyVariables,
  shownKind,
} from "./policy-invocations.ts";
import { PolicySet, specOf } from "./policy-set.ts";
import { policyRefusal } from "./validating-policies.ts";

const KINDS = {
  policies: "admissionregistration.k8s.io/mutatingadmissionpolicies",
  bindings: "admissionregistration.k8s.io/mutatingadmissionpolicybindings",
};

interface CompiledPolicy {
  readonly variables: PolicyVariables;
  readonly conditions: MatchConditions | undefined;
  readonly mutations: readonly Mutation[];
  readonly reinvocable: boolean;
}

function compilePolicy(policy: KubeObject): CompiledPolicy {
  const spec = specOf(policy);
  const params = spec["paramKind"] !== undefined;
  const variables = new PolicyVariables(params);
  // Typed by the field table and validated when it was written.
  const list = <T>(field: string): readonly T[] => (spec[field] ?? []) as unknown as readonly T[];
  for (const variable of list<NamedExpression>("variables")) variables.add(variable);
  const conditions = list<MatchCondition>("matchConditions");
  return {
    variables,
    conditions: conditions.length === 0 ? undefined : compileMatchConditions(conditions, { params }),
    mutations: list<WrittenMutation>("mutations").map((mutation) => compileMutation(mutation, variables)),
    reinvocable: spec["reinvocationPolicy"] === "IfNeeded",
  };
}

/** What is remembered from the first round to the second. */
interface Memory {
  /** The object as the policies left it. */
  output: KubeObject | undefined;
  /** Invocations that may be repeated, since the object last changed. */
  readonly done: Set<string>;
  /** Those that must be repeated. */
  readonly due: Set<string>;
}

interface Failure {
  readonly message: string;
  readonly reason: "Invalid" | "Forbidden";
}

/** Evaluates the stored MutatingAdmissionPolicies. */
export function mutatingPolicies(server: PolicyServer): AdmissionPlugin {
  const policies = new PolicySet(server.store, server.registry, KINDS, compilePolicy);
  const plugin: AdmissionPlugin = {
    handles: (kind, operation) =>
      operation !== "DELETE" &&
      policies.candidates(resourceOf(kind), operation).length > 0 &&
      !isExemptFromAdmission(kind),
    mutate(request) {
      const memory = memoryOf(plugin, request.rounds);
      const isSecond = request.rounds?.isSecond === true;
      if (isSecond && memory.output !== undefined && !equalJson(memory.output, request.object)) requireAgain(memory);
      const walk = new MutationWalk(request, server, memory);
      for (const policy of policies.candidates(resourceOf(request.target), request.operation)) {
        for (const match of matchPolicy(policy, request, server)) {
          if ("message" in match) walk.fail(policy, match.binding?.name, match.message, "Forbidden");
          else for (const params of match.params) walk.invoke(match, params);
        }
      }
      memory.output = walk.current;
      walk.finish();
      return walk.current === request.object ? undefined : walk.current;
    },
  };
  return plugin;
}

function memoryOf(plugin: AdmissionPlugin, rounds: MutationRounds | undefined): Memory {
  const known = rounds?.notes.get(plugin) as Memory | undefined;
  if (known !== undefined) return known;
  const memory: Memory = { output: undefined, done: new Set(), due: new Set() };
  rounds?.notes.set(plugin, memory);
  return memory;
}

function requireAgain(memory: Memory): void {
  for (const key of memory.done) memory.due.add(key);
  memory.done.clear();
}

/** One round over the policies. */
class MutationWalk {
  readonly #request: AdmissionRequest;
  readonly #server: PolicyServer;
  readonly #memory: Memory;
  readonly #failures: Failure[] = [];
  current: KubeObject;

  constructor(request: AdmissionRequest, server: PolicyServer, memory: Memory) {
    this.#request = request;
    this.#server = server;
    this.#memory = memory;
    this.current = request.object;
  }

  fail(
    { name, ignoresFailure }: { readonly name: string; readonly ignoresFailure: boolean },
    binding: string | undefined,
    why: string,
    reason: Failure["reason"],
  ): void {
    if (ignoresFailure) return;
    const by = binding === undefined ? JSON.stringify(name) : `'${name}' with binding '${binding}'`;
    this.#failures.push({ message: `policy ${by} denied request: ${why}`, reason });
  }

  invoke(invocation: PolicyInvocation<CompiledPolicy>, params: KubeObject | null): void {
    const { policy, binding, matched } = invocation;
    const request = this.#request;
    const { conditions, mutations, variables, reinvocable } = policy.compiled;
    const variablesNow = policyVariables(request, matched, params, this.#server, this.current);
    const chosen = conditions?.evaluateWith(variablesNow) ?? "match";
    if (chosen === "no-match") return;
    if (chosen !== "match") {
      this.fail(policy, binding.name, chosen.error, "Invalid");
      return;
    }
    const key = [policy.name, binding.name, params?.metadata.namespace ?? "", params?.metadata.name ?? ""].join("/");
    if (request.rounds?.isSecond === true && !this.#memory.due.has(key)) return;
    const before = this.current;
    for (const mutation of mutations) {
      try {
        const shown = policyVariables(request, matched, params, this.#server, this.current);
        this.current = this.#mutated(mutation, invocation, variables.evaluation(shown));
      } catch (error) {
        if (error instanceof StatusErrorClass) throw error;
        const why = error instanceof OutOfBudget ? error.message : messageOf(error);
        this.fail(policy, binding.name, why, "Invalid");
      }
    }
    this.#memory.due.delete(key);
    if (!equalJson(before, this.current)) {
      requireAgain(this.#memory);
      request.rounds?.askForSecond();
    }
    if (reinvocable) this.#memory.done.add(key);
  }

  #mutated(
    mutation: Mutation,
    { matched }: PolicyInvocation<CompiledPolicy>,
    evaluation: ReturnType<PolicyVariables["evaluation"]>,
  ): KubeObject {
    const { target } = this.#request;
    const kind = shownKind(this.#request, matched, this.#server.registry);
    const shown = kind === target ? this.current : kind.convert(this.current);
    const mutated = mutation.apply(shown, kind, evaluation);
    if (mutated === shown) return this.current;
    kind.applyDefaults(mutated, this.#request.oldObject);
    return kind === target ? mutated : cloneJson(target.convert(mutated));
  }

  /** Throws the refusal, when a policy failed that may not. */
  finish(): void {
    const [first] = this.#failures;
    if (first === undefined) return;
    const refusal: StatusError = policyRefusal(this.#request, first.message, first.reason, 403, () => first.message);
    throw refusal;
  }
}
