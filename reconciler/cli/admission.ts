// Our admission rules in the form that the embedded API server takes.
import { defaultObject, hasAdmissionRules, validateObject } from "../../api/admission/admit.ts";
import { deletionRefusal } from "../../api/admission/deletion.ts";
import type { AdmissionPlugin } from "../../fleets/apiserver/registry/admission.ts";
import type { Clock } from "../../runtime/clock.ts";

/** Defaulting and validation of Karmada's kinds, and deletion protection for every kind. */
export function karmadaAdmission(clock: Clock, newUuid: () => string): AdmissionPlugin {
  return {
    handles: (kind, operation) => operation === "DELETE" || hasAdmissionRules(kind.group, kind.kind),
    mutate: (request) => {
      const { operation } = request;
      if ((operation !== "CREATE" && operation !== "UPDATE") || request.subresource !== undefined) return undefined;
      const context = {
        operation,
        requestNamespace: request.namespace ?? "",
        nowMs: clock.now(),
        newUuid,
      };
      const defaulted = defaultObject(request.object, context);
      return defaulted === request.object ? undefined : defaulted;
    },
    validate: (request) => {
      if (request.operation === "CONNECT") return [];
      if (request.operation !== "DELETE")
        return request.subresource === undefined ? validateObject(request.object, request.oldObject) : [];
      const refusal = deletionRefusal(request.object);
      return refusal === undefined ? [] : { code: 403, message: refusal };
    },
  };
}
