// The expressions of `placement.flaghoist.scores`: what they may read, and whether they make sense.
import { type Environment, type FieldTypes, NO_FIELDS } from "../kube/cel/declarations.ts";
import { KUBERNETES_FUNCTIONS } from "../kube/cel/kubernetes-functions.ts";
import { CompileError, compile, type Program } from "../kube/cel/program.ts";
import { type CelType, formatType, listOf, mapOf, STRING, struct } from "../kube/cel/types.ts";

const CLUSTER = struct("flaghoist.Cluster");
const TAINT = struct("flaghoist.Taint");
const CONDITION = struct("flaghoist.Condition");
const RESOURCE = struct("flaghoist.Resource");
const TEXTS = mapOf(STRING, STRING);
const QUANTITIES = mapOf(STRING, struct("kubernetes.Quantity"));

/** Every field is always there; what a cluster does not say is empty. */
const STRUCTS: Readonly<Record<string, Readonly<Record<string, CelType>>>> = {
  [CLUSTER.name]: {
    name: STRING,
    labels: TEXTS,
    annotations: TEXTS,
    region: STRING,
    provider: STRING,
    zones: listOf(STRING),
    taints: listOf(TAINT),
    conditions: listOf(CONDITION),
    allocatable: QUANTITIES,
    allocated: QUANTITIES,
  },
  [TAINT.name]: { key: STRING, value: STRING, effect: STRING },
  [CONDITION.name]: { type: STRING, status: STRING, reason: STRING },
  [RESOURCE.name]: { apiVersion: STRING, kind: STRING, namespace: STRING, name: STRING },
};

const FIELDS: FieldTypes = {
  ...NO_FIELDS,
  fieldType: (typeName, field) => {
    const fields = STRUCTS[typeName];
    return fields === undefined ? "unknown-type" : fields[field];
  },
};

const ENVIRONMENT: Environment = {
  functions: KUBERNETES_FUNCTIONS,
  variables: new Map<string, CelType>([
    ["cluster", CLUSTER],
    ["resource", RESOURCE],
  ]),
  fields: FIELDS,
};

/** Types that are numbers, or may be. */
const NUMERIC: readonly CelType["kind"][] = ["int", "uint", "double", "dyn"];

/** A score ready to be evaluated. */
export interface CompiledScore {
  readonly program: Program;
  /** Whether it differs between objects, and not only between clusters. */
  readonly readsResource: boolean;
}

/** Compiles a score; a text says what is wrong with it, and where: `line 1, column 9: undeclared reference to 'x'`. */
export function compileScore(expression: string): CompiledScore | string {
  const program = compile(expression, ENVIRONMENT);
  if (program instanceof CompileError) return shorten(program.message);
  if (!NUMERIC.includes(program.type.kind)) return `is of type ${formatType(program.type)}, and must be a number`;
  const never = program.instantiationError();
  if (never !== undefined) return never;
  return { program, readsResource: program.variables.has("resource") };
}

/** The first error, without the picture of the text. */
function shorten(message: string): string {
  const [first = ""] = message.split("\n");
  const parts = /^ERROR: <input>:(-?\d+):(\d+): (.*)$/.exec(first);
  const [, line = "", column = "", words = first] = parts ?? [];
  return parts === null || line === "-1" ? words : `line ${line}, column ${column}: ${words}`;
}
