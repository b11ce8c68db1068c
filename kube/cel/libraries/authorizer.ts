// Questions of access in expressions: `authorizer.group("apps").resource("deployments").check("create").allowed()`.
import { checkDnsLabel, checkDnsSubdomain } from "../../names.ts";
import { type FunctionDeclaration, member } from "../declarations.ts";
import { BOOL, STRING, struct } from "../types.ts";
import { CelValue, fail } from "../values.ts";

const AUTHORIZER = struct("kubernetes.authorization.Authorizer");
const PATH_CHECK = struct("kubernetes.authorization.PathCheck");
const GROUP_CHECK = struct("kubernetes.authorization.GroupCheck");
const RESOURCE_CHECK = struct("kubernetes.authorization.ResourceCheck");
const DECISION = struct("kubernetes.authorization.Decision");

/** The type of the variable `authorizer`, and of `authorizer.requestResource`. */
export const AUTHORIZER_TYPE = AUTHORIZER;
export const RESOURCE_CHECK_TYPE = RESOURCE_CHECK;

/** A question of access about a path or a resource. */
export interface AccessQuestion {
  readonly verb: string;
  /** Of questions about paths. */
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Who answers, for a user; `serviceAccount` is another user than the one of the request. */
export type AskAccess = (
  question: AccessQuestion,
  serviceAccount: { readonly namespace: string; readonly name: string } | undefined,
) => AccessAnswer;

/** The value of the variable `authorizer`. */
export class CelAuthorizer extends CelValue {
  readonly typeName = AUTHORIZER.name;
  readonly ask: (question: AccessQuestion) => AccessAnswer;
  readonly #askAny: AskAccess;

  constructor(ask: AskAccess, serviceAccount?: { readonly namespace: string; readonly name: string }) {
    super();
    this.#askAny = ask;
    this.ask = (question) => ask(question, serviceAccount);
  }

  as(namespace: string, name: string): CelAuthorizer {
    return new CelAuthorizer(this.#askAny, { namespace, name });
  }
}

/** A question in the making, all but its verb. */
export class CelCheck extends CelValue {
  readonly typeName: string;
  readonly #authorizer: CelAuthorizer;
  readonly #question: Omit<AccessQuestion, "verb">;

  constructor(typeName: string, authorizer: CelAuthorizer, question: Omit<AccessQuestion, "verb">) {
    super();
    this.typeName = typeName;
    this.#authorizer = authorizer;
    this.#question = question;
  }

  with(more: Omit<AccessQuestion, "verb">, typeName = this.typeName): CelCheck {
    return new CelCheck(typeName, this.#authorizer, { ...this.#question, ...more });
  }

  check(verb: string): CelDecision {
    return new CelDecision(this.#authorizer.ask({ ...this.#question, verb }));
  }
}

/** The question about a resource, as `authorizer.requestResource` has it. */
export function resourceCheck(authorizer: CelAuthorizer, question: Omit<AccessQuestion, "verb">): CelCheck {
  return new CelCheck(RESOURCE_CHECK.name, authorizer, question);
}

class CelDecision extends CelValue {
  readonly typeName = DECISION.name;
  readonly answer: AccessAnswer;

  constructor(answer: AccessAnswer) {
    super();
    this.answer = answer;
  }
}

export const AUTHORIZATION: readonly FunctionDeclaration[] = [
  member(
    "path",
    "authorizer_path",
    [AUTHORIZER, STRING],
    PATH_CHECK,
    (authorizer: CelAuthorizer, path: string) => new CelCheck(PATH_CHECK.name, authorizer, { path }),
  ),
  member(
    "group",
    "authorizer_group",
    [AUTHORIZER, STRING],
    GROUP_CHECK,
    (authorizer: CelAuthorizer, group: string) => new CelCheck(GROUP_CHECK.name, authorizer, { group }),
  ),
  member(
    "serviceAccount",
    "authorizer_serviceaccount",
    [AUTHORIZER, STRING, STRING],
    AUTHORIZER,
    (authorizer: CelAuthorizer, namespace: string, name: string) => {
      if (checkDnsSubdomain(name).length > 0) return fail("Invalid service account name");
      if (checkDnsLabel(namespace).length > 0) return fail("Invalid service account namespace");
      return authorizer.as(namespace, name);
    },
  ),
  member(
    "resource",
    "groupcheck_resource",
    [GROUP_CHECK, STRING],
    RESOURCE_CHECK,
    (check: CelCheck, resource: string) => check.with({ resource }, RESOURCE_CHECK.name),
  ),
  member(
    "subresource",
    "resourcecheck_subresource",
    [RESOURCE_CHECK, STRING],
    RESOURCE_CHECK,
    (check: CelCheck, subresource: string) => check.with({ subresource }),
  ),
  member(
    "namespace",
    "resourcecheck_namespace",
    [RESOURCE_CHECK, STRING],
    RESOURCE_CHECK,
    (check: CelCheck, namespace: string) => check.with({ namespace }),
  ),
  member("name", "resourcecheck_name", [RESOURCE_CHECK, STRING], RESOURCE_CHECK, (check: CelCheck, name: string) =>
    check.with({ name }),
  ),
  // Access is decided without looking at selectors here; a check that names one is as strict as one that does not.
  member(
    "fieldSelector",
    "resourcecheck_fieldselector",
    [RESOURCE_CHECK, STRING],
    RESOURCE_CHECK,
    (check: CelCheck) => check,
  ),
  member(
    "labelSelector",
    "resourcecheck_labelselector",
    [RESOURCE_CHECK, STRING],
    RESOURCE_CHECK,
    (check: CelCheck) => check,
  ),
  member("check", "pathcheck_check", [PATH_CHECK, STRING], DECISION, (check: CelCheck, verb: string) =>
    check.check(verb),
  ),
  member("check", "resourcecheck_check", [RESOURCE_CHECK, STRING], DECISION, (check: CelCheck, verb: string) =>
    check.check(verb),
  ),
  // The authorizer here always answers.
  member("errored", "decision_errored", [DECISION], BOOL, () => false),
  member("error", "decision_error", [DECISION], STRING, () => ""),
  member("allowed", "decision_allowed", [DECISION], BOOL, ({ answer }: CelDecision) => answer.allowed),
  member("reason", "decision_reason", [DECISION], STRING, ({ answer }: CelDecision) => answer.reason),
];
