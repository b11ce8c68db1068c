// Who may approve and sign CertificateSigningRequests, and what their writes change.
import { cloneJson, isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { type Clock, rfc3339 } from "../../../runtime/clock.ts";
import type { Authorizer } from "../authorization/access.ts";
import { MASTERS } from "../authorization/rbac-objects.ts";
import { conditionsOf, pemBlock, validateDecisions } from "../kinds/validate-certificates.ts";
import type { AdmissionPlugin, AdmissionRequest, AdmissionVerdict } from "../registry/admission.ts";

export const SIGNING_REQUESTS = "certificates.k8s.io/certificatesigningrequests";
/** The signer that this server is: certificates with which clients reach it. */
export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
const GROUP = "certificates.k8s.io";

/** The rules as an admission plugin. */
export function signingRequestRules(authorizer: Authorizer, clock: Clock): AdmissionPlugin {
  return {
    handles: (kind, operation) => kind.storageKey === SIGNING_REQUESTS && operation !== "DELETE",
    mutate: (request) => mutate(request, clock),
    validate: (request) => validate(request, authorizer),
  };
}

export function signerOf(request: KubeObject): string {
  return isObject(request["spec"]) ? String(request["spec"]["signerName"] ?? "") : "";
}

/** Approval changes conditions and nothing else; conditions get the times that their writer left out. */
function mutate({ object, oldObject, subresource }: AdmissionRequest, clock: Clock): KubeObject | undefined {
  if (oldObject === undefined) return undefined;
  const changed: KubeObject = cloneJson(object);
  if (subresource === "approval") {
    const { conditions, ...rest } = (cloneJson(oldObject["status"]) ?? {}) as JsonObject;
    const given = isObject(object["status"]) ? object["status"]["conditions"] : undefined;
    void conditions;
    changed["spec"] = cloneJson(oldObject["spec"]);
    changed["status"] = { ...rest, ...(given === undefined ? {} : { conditions: cloneJson(given) }) };
  }
  const now = rfc3339(clock.now());
  // Decoded conditions are objects.
  for (const condition of conditionsOf(changed) as unknown as JsonObject[]) {
    condition["lastUpdateTime"] ??= now;
    condition["lastTransitionTime"] ??= now;
  }
  return changed;
}

function validate(request: AdmissionRequest, authorizer: Authorizer): AdmissionVerdict | Promise<AdmissionVerdict> {
  const { object, oldObject, operation, subresource = "" } = request;
  if (operation === "CREATE") return checkSubject(object);
  if (oldObject === undefined) return [];
  const verb =
    subresource === "approval" ? "approve" : subresource === "status" && isSigned(object, oldObject) ? "sign" : "";
  if (verb !== "" && !maySign(request, authorizer, verb)) {
    const message = `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerOf(oldObject))}`;
    return { code: 403, message };
  }
  return validateDecisions(object, oldObject, subresource);
}

function isSigned(object: KubeObject, old: KubeObject): boolean {
  const certificate = (each: KubeObject): unknown =>
    isObject(each["status"]) ? each["status"]["certificate"] : undefined;
  return (certificate(object) ?? "") !== (certificate(old) ?? "");
}

/** Rights are for one signer, or for all of a domain. */
function maySign({ oldObject, user }: AdmissionRequest, authorizer: Authorizer, verb: string): boolean {
  const signer = oldObject === undefined ? "" : signerOf(oldObject);
  return [signer, `${signer.split("/")[0]}/*`].some(
    (name) =>
      authorizer({
        user,
        verb,
        path: "",
        resource: { group: GROUP, resource: "signers", subresource: undefined, namespace: undefined, name },
      }).allowed,
  );
}

/** No certificate makes its holder a master. */
async function checkSubject(request: KubeObject): Promise<AdmissionVerdict> {
  if (signerOf(request) !== CLIENT_SIGNER) return [];
  const spec = isObject(request["spec"]) ? request["spec"] : {};
  const { readSigningRequest } = await import("../http/certificate-signing.ts");
  const subject = readSigningRequest(pemBlock(spec["request"])?.pem ?? "");
  if (subject === undefined || !subject.groups.includes(MASTERS)) return [];
  return { code: 403, message: `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed` };
}
