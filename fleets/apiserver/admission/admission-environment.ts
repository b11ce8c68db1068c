// What expressions of webhooks and admission policies may use.
import { type Environment, type FieldTypes, functionTable, global } from "../../../kube/cel/declarations.ts";
import { KUBERNETES_FUNCTIONS, KUBERNETES_LIBRARIES } from "../../../kube/cel/kubernetes-functions.ts";
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from "../../../kube/cel/libraries/authorizer.ts";
import { CompileError, compile, type Program } from "../../../kube/cel/program.ts";
import {
  BOOL,
  type CelType,
  DYN,
  formatType,
  INT,
  listOf,
  mapOf,
  STRING,
  sameType,
  struct,
  TIMESTAMP,
} from "../../../kube/cel/types.ts";

/** Which of the variables there are. */
export interface ExpressionSetting {
  readonly params: boolean;
  readonly authorizer: boolean;
  /** Expressions of mutations may write patches. */
  readonly patches?: boolean;
  /** The types of `variables`, by name; absent when there are none. */
  readonly variables?: ReadonlyMap<string, CelType>;
}

const TEXTS = listOf(STRING);
const TEXT_MAP = mapOf(STRING, STRING);
const GVK = struct("kubernetes.GroupVersionKind");
const GVR = struct("kubernetes.GroupVersionResource");
const USER = struct("kubernetes.UserInfo");
const REQUEST = struct("kubernetes.AdmissionRequest");
const NAMESPACE = struct("kubernetes.Namespace");
const NAMESPACE_META = struct("kubernetes.NamespaceMetadata");
const NAMESPACE_SPEC = struct("kubernetes.NamespaceSpec");
const NAMESPACE_STATUS = struct("kubernetes.NamespaceStatus");
const CONDITION = struct("kubernetes.NamespaceCondition");
const VARIABLES = struct("kubernetes.variables");

const STRUCTS: Readonly<Record<string, Readonly<Record<string, CelType>>>> = {
  [GVK.name]: { group: STRING, version: STRING, kind: STRING },
  [GVR.name]: { group: STRING, version: STRING, resource: STRING },
  [USER.name]: { username: STRING, uid: STRING, groups: TEXTS, extra: mapOf(STRING, TEXTS) },
  [REQUEST.name]: {
    kind: GVK,
    resource: GVR,
    subResource: STRING,
    requestKind: GVK,
    requestResource: GVR,
    requestSubResource: STRING,
    name: STRING,
    namespace: STRING,
    operation: STRING,
    userInfo: USER,
    dryRun: BOOL,
    options: DYN,
  },
  [NAMESPACE.name]: { metadata: NAMESPACE_META, spec: NAMESPACE_SPEC, status: NAMESPACE_STATUS },
  [NAMESPACE_SPEC.name]: { finalizers: TEXTS },
  [NAMESPACE_STATUS.name]: { conditions: listOf(CONDITION), phase: STRING },
  [CONDITION.name]: {
    status: STRING,
    type: STRING,
    lastTransitionTime: TIMESTAMP,
    message: STRING,
    reason: STRING,
  },
  [NAMESPACE_META.name]: {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: TEXT_MAP,
    annotations: TEXT_MAP,
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: TEXTS,
  },
};

/** The type of a patch operation in expressions, and of the objects that configurations are written as. */
export const JSON_PATCH_TYPE = struct("JSONPatch");
export const APPLY_TYPE = struct("Object");
const JSON_PATCH_FIELDS: Readonly<Record<string, CelType>> = { op: STRING, path: STRING, from: STRING, value: DYN };

function fieldsOf({ patches = false, variables }: ExpressionSetting): FieldTypes {
  const isObject = (name: string): boolean => name === APPLY_TYPE.name || name.startsWith(`${APPLY_TYPE.name}.`);
  return {
    fieldType(typeName, field) {
      if (typeName === VARIABLES.name) return variables?.get(field);
      // A field that patches do not have is found, with a type that nothing has.
      if (patches && typeName === JSON_PATCH_TYPE.name) return JSON_PATCH_FIELDS[field] ?? struct("");
      // What fields there are depends on the object that is written.
      if (patches && isObject(typeName)) return DYN;
      const fields = STRUCTS[typeName];
      return fields === undefined ? "unknown-type" : fields[field];
    },
    structType(name) {
      if (patches && (name === JSON_PATCH_TYPE.name || isObject(name))) return struct(name);
      return undefined;
    },
  };
}

/** Keys in the paths of patches: `jsonpatch.escapeKey("a/b")`. As the reference, in one pass. */
const ESCAPE_KEY = global("jsonpatch.escapeKey", "string_jsonpatch_escapeKey_string", [STRING], STRING, (key: string) =>
  key.replace(/[/~]/g, (char) => (char === "/" ? "~1" : "~0")),
);
const PATCH_FUNCTIONS = functionTable(...KUBERNETES_LIBRARIES, [ESCAPE_KEY]);

export function admissionEnvironment(setting: ExpressionSetting): Environment {
  const variables = new Map<string, CelType>([
    ["object", DYN],
    ["oldObject", DYN],
    ["namespaceObject", NAMESPACE],
    ["request", REQUEST],
  ]);
  if (setting.params) variables.set("params", DYN);
  if (setting.variables !== undefined) variables.set("variables", VARIABLES);
  if (setting.authorizer) {
    variables.set("authorizer", AUTHORIZER_TYPE);
    variables.set("authorizer.requestResource", RESOURCE_CHECK_TYPE);
  }
  return {
    functions: setting.patches === true ? PATCH_FUNCTIONS : KUBERNETES_FUNCTIONS,
    variables,
    fields: fieldsOf(setting),
  };
}

/** As declarations name types, which is not how messages of the checker do. */
export function declaredName(type: CelType): string {
  return formatType(type)
    .replace(/\bduration\b/g, "google.protobuf.Duration")
    .replace(/\btimestamp\b/g, "google.protobuf.Timestamp")
    .replace(/\bnull\b/g, "null_type");
}

/** Compiles an expression that must have one of the types; any type will do when none is given. */
export function compileAdmissionExpression(
  expression: string,
  setting: ExpressionSetting,
  types: readonly CelType[],
): Program | CompileError {
  const program = compile(expression, admissionEnvironment(setting));
  if (program instanceof CompileError) return new CompileError(`compilation failed: ${program.message}`);
  if (types.length > 0 && !types.some((type) => sameType(type, program.type))) {
    const names = types.map(declaredName);
    const wanted = names.length === 1 ? `must evaluate to ${names[0]}` : `must evaluate to one of [${names.join(" ")}]`;
    return new CompileError(`${wanted} but got ${declaredName(program.type)}`);
  }
  const broken = program.instantiationError();
  return broken === undefined ? program : new CompileError(`program instantiation failed: ${broken}`);
}
