// Rules of access control, admission and coordination kinds.
import { cloneJson, type Json, type JsonObject } from "../../../kube/object.ts";
import { eventsEventOf } from "./events.ts";
import type { KindRules } from "./kind-rules.ts";
import {
  validateMutatingBinding,
  validateMutatingPolicy,
  validateValidatingBinding,
  validateValidatingPolicy,
} from "./validate-admission-policies.ts";
import { validateSigningRequest } from "./validate-certificates.ts";
import { validateEvent, validateRole, validateRoleBinding, validateRoleBindingUpdate } from "./validate-core.ts";
import { validateLease } from "./validate-others.ts";
import { validateWebhooks } from "./validate-webhooks.ts";

const RBAC: KindRules = { nameRule: "path-segment", createOnUpdate: true };
const BINDING: KindRules = { ...RBAC, validate: validateRoleBinding, validateUpdate: validateRoleBindingUpdate };

const ADMISSION: KindRules = { generation: true, conditionalUpdateOnly: true };
const WEBHOOKS: KindRules = { ...ADMISSION, validate: validateWebhooks };

export const ACCESS_RULES: Readonly<Record<string, KindRules>> = {
  "rbac.authorization.k8s.io/v1/Role": { ...RBAC, validate: validateRole },
  "rbac.authorization.k8s.io/v1/ClusterRole": { ...RBAC, validate: validateRole },
  "rbac.authorization.k8s.io/v1/RoleBinding": BINDING,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": BINDING,
  "coordination.k8s.io/v1/Lease": { createOnUpdate: true, conditionalUpdateOnly: true, validate: validateLease },
  "events.k8s.io/v1/Event": { createOnUpdate: true, convert: eventsEventOf, validate: validateEvent },
  "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": WEBHOOKS,
  "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration": WEBHOOKS,
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy": { ...ADMISSION, validate: validateValidatingPolicy },
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding": {
    ...ADMISSION,
    validate: validateValidatingBinding,
  },
  "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy": { ...ADMISSION, validate: validateMutatingPolicy },
  "admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding": { ...ADMISSION, validate: validateMutatingBinding },
  "certificates.k8s.io/v1/CertificateSigningRequest": {
    // Approvers rely on who asks, so nobody can say it of themselves; nor can a request change after it was looked at.
    prepareForCreate(request, user) {
      const spec = { ...(request["spec"] as JsonObject) };
      for (const field of ["username", "uid", "groups", "extra"]) delete spec[field];
      if (user !== undefined) {
        spec["username"] = user.name;
        if (user.uid !== undefined) spec["uid"] = user.uid;
        if (user.groups.length > 0) spec["groups"] = [...user.groups];
        if (user.extra !== undefined && Object.keys(user.extra).length > 0)
          spec["extra"] = cloneJson(user.extra) as Json;
      }
      request["spec"] = spec;
    },
    prepareForUpdate(request, old) {
      request["spec"] = cloneJson(old["spec"]);
    },
    validate: validateSigningRequest,
    selectable: {
      "spec.signerName": (object) => String((object["spec"] as { signerName?: string } | undefined)?.signerName ?? ""),
    },
  },
};
