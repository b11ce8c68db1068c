// CertificateSigningRequests: what a request must be, in the reference's words.
import { isObject, type Json, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { duplicateValue, forbiddenValue, invalidValue, notSupported, required } from "./field-errors.ts";

const USAGES = [
  ...["any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment"],
  ...["decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel"],
  ...["ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime"],
  ...["server auth", "signing", "timestamping"],
];
const SHORTEST_S = 600;
const DECISIONS = ["Approved", "Denied"];
const ONLY_TRUE = new Set(["Approved", "Denied", "Failed"]);
const SIGNER = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

export interface SigningCondition {
  readonly type: string;
  readonly status: string;
}

/** The conditions of a request; those of another shape count as none. */
export function conditionsOf(request: KubeObject): readonly SigningCondition[] {
  const status = isObject(request["status"]) ? request["status"] : {};
  // A decoded request.
  return Array.isArray(status["conditions"]) ? (status["conditions"] as readonly SigningCondition[]) : [];
}

/** The first PEM block of a base64 text: its type and content; undefined when there is none. */
export function pemBlock(base64: unknown): { readonly type: string; readonly pem: string } | undefined {
  if (typeof base64 !== "string") return undefined;
  const text = Buffer.from(base64, "base64").toString("latin1");
  const match = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[A-Za-z0-9+/=\s]+-----END \1-----/.exec(text);
  return match === null ? undefined : { type: match[1] ?? "", pem: match[0] };
}

export function validateSigningRequest(request: KubeObject, old: KubeObject | undefined): FieldError[] {
  const errors = old === undefined ? validateSpec((request["spec"] ?? {}) as JsonObject) : [];
  errors.push(...validateConditions(request));
  const { certificate } = (request["status"] ?? {}) as JsonObject;
  const isEmpty = certificate === undefined || certificate === null || certificate === "";
  if (!isEmpty && pemBlock(certificate)?.type !== "CERTIFICATE") {
    errors.push(
      invalidValue("status.certificate", "<certificate data>", "must contain at least one CERTIFICATE PEM block"),
    );
  }
  return errors;
}

function validateSpec(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const { request, usages, signerName = "", expirationSeconds } = spec;
  if (pemBlock(request)?.type !== "CERTIFICATE REQUEST")
    errors.push(invalidValue("spec.request", request ?? null, "PEM block type must be CERTIFICATE REQUEST"));
  const list: Json[] = Array.isArray(usages) ? usages : [];
  if (list.length === 0) errors.push(required("spec.usages"));
  const seen = new Set<Json>();
  for (const [index, usage] of list.entries()) {
    const field = `spec.usages[${index}]`;
    if (!USAGES.includes(String(usage))) errors.push(notSupported(field, usage, USAGES));
    if (seen.has(usage)) errors.push(duplicateValue(field, usage));
    seen.add(usage);
  }
  if (signerName === "kubernetes.io/legacy-unknown") {
    errors.push(
      invalidValue("spec.signerName", signerName, "the legacy signerName is not allowed via this API version"),
    );
  } else if (signerName === "") errors.push(required("spec.signerName"));
  else if (!SIGNER.test(String(signerName))) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(invalidValue("spec.signerName", signerName, why));
  }
  if (typeof expirationSeconds === "number" && expirationSeconds < SHORTEST_S) {
    const why = `may not specify a duration less than ${SHORTEST_S} seconds (10 minutes)`;
    errors.push(invalidValue("spec.expirationSeconds", expirationSeconds, why));
  }
  return errors;
}

function validateConditions(request: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { type, status }] of conditionsOf(request).entries()) {
    const field = `status.conditions[${index}]`;
    if (type === undefined || type === "") errors.push(required(`${field}.type`));
    if (ONLY_TRUE.has(type) && status !== "True") errors.push(notSupported(`${field}.status`, status, ["True"]));
    if (seen.has(type)) errors.push(duplicateValue(`${field}.type`, type));
    const other = DECISIONS.find((each) => each !== type);
    if (DECISIONS.includes(type) && other !== undefined && seen.has(other)) {
      errors.push(invalidValue("status.conditions", type, "Approved and Denied conditions are mutually exclusive"));
    }
    seen.add(type);
  }
  return errors;
}

/** What a write through `subresource` may not do: decide elsewhere than through `approval`, or take a decision back. */
export function validateDecisions(request: KubeObject, old: KubeObject, subresource: string): FieldError[] {
  const errors: FieldError[] = [];
  const before = new Set(conditionsOf(old).map(({ type }) => type));
  const after = new Set(conditionsOf(request).map(({ type }) => type));
  for (const type of [...DECISIONS, "Failed"]) {
    if (before.has(type) && !after.has(type))
      errors.push(
        forbiddenValue("status.conditions", `updates may not remove a condition of type ${JSON.stringify(type)}`),
      );
    const mayAdd = type === "Failed" || subresource === "approval";
    if (!before.has(type) && after.has(type) && !mayAdd)
      errors.push(
        forbiddenValue("status.conditions", `updates may not add a condition of type ${JSON.stringify(type)}`),
      );
  }
  const was = ((old["status"] ?? {}) as JsonObject)["certificate"] ?? "";
  const is = ((request["status"] ?? {}) as JsonObject)["certificate"] ?? "";
  if (was !== "" && was !== is)
    errors.push(forbiddenValue("status.certificate", "updates may not modify existing certificate content"));
  return errors;
}
