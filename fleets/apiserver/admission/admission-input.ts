// A write as the variables of expressions.
import { viewOfAny } from "../../../kube/cel/json-values.ts";
import { CelAuthorizer, resourceCheck } from "../../../kube/cel/libraries/authorizer.ts";
import type { Value } from "../../../kube/cel/values.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { Authorizer } from "../authorization/access.ts";
import type { AdmissionRequest } from "../registry/admission.ts";
import type { MatchedResource } from "./match-resources.ts";
import { resourceOf } from "./webhooks/match-target.ts";

/** What expressions may be told of a write. */
export interface AdmissionInput {
  readonly request: AdmissionRequest;
  /** The resource as the rules that chose the write know it. */
  readonly matched: MatchedResource;
  /** In the version of `matched`; undefined when there is none. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly authorizer: Authorizer;
  /** Undefined when policies have no parameters. */
  readonly params?: KubeObject | null;
  /** The namespace of the object; undefined for cluster-scoped ones. */
  readonly namespace?: KubeObject | undefined;
}

export type AdmissionVariables = Record<string, Value | undefined>;

function authorizerOf({ request, authorizer }: AdmissionInput): CelAuthorizer {
  return new CelAuthorizer((question, account) => {
    const { path, verb, group = "", resource = "", subresource, namespace, name } = question;
    const user =
      account === undefined
        ? request.user
        : {
            name: `system:serviceaccount:${account.namespace}:${account.name}`,
            groups: ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`, "system:authenticated"],
          };
    const about = path === undefined ? { group, resource, subresource, namespace, name } : undefined;
    return authorizer({ user, verb, path: path ?? "", resource: about });
  });
}

/** The write as the JSON of an AdmissionRequest, without its objects. */
function requestJson({ request, matched }: AdmissionInput): unknown {
  const { user, subresource } = request;
  return {
    uid: "",
    kind: matched.kind,
    resource: matched.resource,
    ...(subresource === undefined ? {} : { subResource: subresource }),
    requestKind: request.kind,
    requestResource: resourceOf(request.target),
    ...(subresource === undefined ? {} : { requestSubResource: subresource }),
    ...(request.name === "" ? {} : { name: request.name }),
    ...(namespaceFieldOf(request) === "" ? {} : { namespace: namespaceFieldOf(request) }),
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined || user.uid === "" ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    object: null,
    oldObject: null,
    dryRun: request.dryRun,
    options: request.options ?? null,
  };
}

function namespaceFieldOf({ target, namespace, name }: AdmissionRequest): string {
  return target.group === "" && target.plural === "namespaces" ? name : (namespace ?? "");
}

/** The namespace as expressions see it, without what only its managers need. */
function namespaceJson(namespace: KubeObject): unknown {
  const { managedFields: _managers, ownerReferences: _owners, ...metadata } = namespace.metadata;
  const { spec, status } = namespace;
  return { metadata, spec, status };
}

/** The variables of an environment with everything; each is made when it is first read. */
export function admissionVariables(input: AdmissionInput): AdmissionVariables {
  const authorizer = authorizerOf(input);
  const { request } = input;
  const lazily = (make: () => Value): PropertyDescriptor => {
    let made: Value | undefined;
    return {
      enumerable: true,
      get: () => {
        made ??= make();
        return made;
      },
    };
  };
  return Object.defineProperties({} as AdmissionVariables, {
    object: lazily(() => viewOfAny(input.object ?? null)),
    oldObject: lazily(() => viewOfAny(input.oldObject ?? null)),
    params: lazily(() => viewOfAny(input.params ?? null)),
    request: lazily(() => viewOfAny(requestJson(input))),
    namespaceObject: lazily(() => (input.namespace === undefined ? null : viewOfAny(namespaceJson(input.namespace)))),
    authorizer: { enumerable: true, value: authorizer },
    "authorizer.requestResource": lazily(() =>
      resourceCheck(authorizer, {
        group: request.target.group,
        resource: request.target.plural,
        ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
        ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
        name: request.name,
      }),
    ),
  });
}
