import { defaultObject, validateObject } from "../../../api/admission/admit.ts";
import type { AdmissionContext } from "../../../api/admission/context.ts";
import { refusalText } from "../../../api/admission/field-error.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { type Comparable, caseSuite } from "../karmada-cases.ts";
import type { Suite } from "../suite.ts";

export interface AdmissionInput {
  readonly namespace: string;
  readonly operation: AdmissionContext["operation"];
  readonly policy: KubeObject;
  /** The stored policy that an update replaces. */
  readonly oldPolicy?: KubeObject;
}

interface AdmissionAnswer {
  readonly allowed: boolean;
  readonly defaulted?: unknown;
  readonly message?: string;
}

/** What we store and refuse. */
export function answerAdmission({ namespace, operation, policy, oldPolicy }: AdmissionInput): AdmissionAnswer {
  const defaulted = defaultObject(policy, {
    operation,
    requestNamespace: namespace,
    nowMs: 0,
    newUuid: () => "00000000-0000-4000-8000-000000000000",
  });
  const refusals = validateObject(defaulted, oldPolicy);
  return {
    allowed: refusals.length === 0,
    ...(policy.kind !== "ClusterOverridePolicy" && { defaulted }),
    ...(refusals.length > 0 && { message: refusalText(refusals) }),
  };
}

/** Paths of the fields a message speaks of. */
function fieldsOf(message: string | undefined): string[] {
  const paths = (message ?? "").matchAll(/(?:^|[[\s])((?:spec|metadata)(?:\.[A-Za-z]+|\[[^\]\s]+\])*): /g);
  return [...new Set([...paths].map((match) => match[1] ?? ""))].sort();
}

/** The fields of one message that the other does not speak of, at that depth or another. */
function unmentioned(fields: readonly string[], others: readonly string[]): string[] {
  return fields.filter((field) => !others.some((other) => other.startsWith(field) || field.startsWith(other)));
}

/** Without what Karmada's encoder adds to every policy or drops from it: null for no value, and values that are empty. */
export function withoutEncoderTraces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEncoderTraces);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutEncoderTraces(inner)] as const);
  return Object.fromEntries(entries.filter(([key, inner]) => !isEncoderTrace(key, inner)));
}

function isEncoderTrace(key: string, value: unknown): boolean {
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return true;
  if (key === "overriders") return isObject(value) && Object.keys(value).length === 0;
  if (key === "maxGroups") return value === 0;
  return (key === "propagateDeps" || key === "association") && value === false;
}

/** Texts are our own; what must agree is the decision, the stored object and the fields that are named. */
export function normalizeAdmission(input: AdmissionInput, expected: unknown, actual: unknown): Comparable {
  // The vectors have this form, and `actual` is an answer of ours.
  const theirs = expected as AdmissionAnswer;
  const ours = actual as AdmissionAnswer;
  const want = withoutEncoderTraces(theirs.defaulted);
  const traces = JSON.stringify(want) !== JSON.stringify(theirs.defaulted);
  // Of an update that changes what may never change, Karmada says only that, and without a path.
  if (input.operation === "UPDATE") {
    return {
      expected: { allowed: theirs.allowed, defaulted: want },
      actual: { ...ours, defaulted: withoutEncoderTraces(ours.defaulted), message: undefined },
    };
  }
  const wantFields = fieldsOf(theirs.message);
  const gotFields = fieldsOf(ours.message);
  return {
    expected: { allowed: theirs.allowed, defaulted: want, unmentioned: [], invented: [] },
    actual: {
      allowed: ours.allowed,
      defaulted: withoutEncoderTraces(ours.defaulted),
      unmentioned: unmentioned(wantFields, gotFields),
      invented: unmentioned(gotFields, wantFields),
      message: undefined,
    },
    ...(traces && { deviates: "empty values stand or are left out as the writer had them" }),
  };
}

export const suite: Suite = caseSuite<AdmissionInput>("policy-admission.json", answerAdmission, normalizeAdmission);
