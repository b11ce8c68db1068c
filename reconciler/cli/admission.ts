// Our admission rules in the form that the embedded API server takes.
import { defaultObject, hasAdmissionRules, validateObject } from "../../api/admission/admit.ts";
import { deletionRefusal } from "../../api/admission/deletion.ts";
import type { FieldError } from "../../api/admission/field-error.ts";
import type { AdmissionPlugin, AdmissionRefusal } from "../../fleets/apiserver/registry/admission.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";

/** A write, as far as our rules look at it. For DELETE `object` is the present one. */
export interface RuledWrite {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly object: KubeObject;
  readonly oldObject: KubeObject | undefined;
}

/** Defaulting and validation of Karmada's kinds and ours, and deletion protection for every kind. */
export interface AdmissionRules {
  /** The object to store instead, or undefined to leave it. */
  mutate(write: RuledWrite): KubeObject | undefined;
  validate(write: RuledWrite): readonly FieldError[] | AdmissionRefusal;
}

export function admissionRules(clock: Clock, newUuid: () => string): AdmissionRules {
  return {
    mutate({ operation, subresource, namespace = "", object }) {
      if ((operation !== "CREATE" && operation !== "UPDATE") || subresource !== undefined) return undefined;
      const context = { operation, requestNamespace: namespace, nowMs: clock.now(), newUuid };
      const defaulted = defaultObject(object, context);
      return defaulted === object ? undefined : defaulted;
    },
    validate({ operation, subresource, object, oldObject }) {
      if (operation === "CONNECT") return [];
      if (operation !== "DELETE") return subresource === undefined ? validateObject(object, oldObject) : [];
      const refusal = deletionRefusal(object);
      return refusal === undefined ? [] : { code: 403, message: refusal };
    },
  };
}

/** Our rules built in to the embedded server. */
export function karmadaAdmission(clock: Clock, newUuid: () => string): AdmissionPlugin {
  const rules = admissionRules(clock, newUuid);
  return {
    handles: (kind, operation) => operation === "DELETE" || hasAdmissionRules(kind.group, kind.kind),
    mutate: (request) => rules.mutate(request),
    validate: (request) => rules.validate(request),
  };
}
