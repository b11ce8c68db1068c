// Signs approved requests for certificates with which clients reach this server.

import { cloneJson, isObject, type JsonObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { CLIENT_SIGNER, SIGNING_REQUESTS, signerOf } from "../certificates/signing-requests.ts";
import { conditionsOf, pemBlock } from "../kinds/validate-certificates.ts";
import type { ServerContext } from "../server-context.ts";
import type { StoredObject } from "../storage/stored-object.ts";

/** Makes a certificate of a request, both PEM, that holds for so many seconds. */
export type CertificateSigner = (request: string, seconds: number) => Promise<string>;

const YEAR_S = 365 * 86_400;
const ALLOWED = new Set(["key encipherment", "digital signature", "client auth"]);

/** Signs from now on, and what is approved already, as soon as `setSigner` names who signs. */
export function startCertificateSigner(server: ServerContext): { setSigner(signer: CertificateSigner): void } {
  const { store } = server;
  let signer: CertificateSigner | undefined;
  function consider(stored: StoredObject): void {
    if (signer === undefined || server.closing.aborted || !isDue(stored)) return;
    sign(server, stored, signer).catch((error: unknown) => {
      const object = `certificates.k8s.io/v1 CertificateSigningRequest ${stored.name}`;
      server.logger.warn("failed to sign a certificate", { object, error: messageOf(error) });
    });
  }
  store.subscribe(SIGNING_REQUESTS, ({ type, object }) => {
    if (type !== "DELETED") consider(object);
  });
  return {
    setSigner(given) {
      signer = given;
      for (const stored of [...store.list(SIGNING_REQUESTS)]) consider(stored);
    },
  };
}

function isDue({ object }: StoredObject): boolean {
  if (signerOf(object) !== CLIENT_SIGNER || object.metadata.deletionTimestamp !== undefined) return false;
  const status = isObject(object["status"]) ? object["status"] : {};
  if ((status["certificate"] ?? "") !== "") return false;
  const types = conditionsOf(object).map(({ type }) => type);
  return types.includes("Approved") && !types.includes("Denied") && !types.includes("Failed");
}

async function sign(server: ServerContext, stored: StoredObject, signer: CertificateSigner): Promise<void> {
  const spec = isObject(stored.object["spec"]) ? stored.object["spec"] : {};
  const usages = Array.isArray(spec["usages"]) ? spec["usages"].map(String) : [];
  const problem = usageProblem(usages);
  const seconds = typeof spec["expirationSeconds"] === "number" ? spec["expirationSeconds"] : YEAR_S;
  const change: JsonObject = {};
  if (problem === undefined) {
    const certificate = await signer(pemBlock(spec["request"])?.pem ?? "", seconds);
    change["certificate"] = Buffer.from(certificate).toString("base64");
  }
  // While the certificate was made others may have written.
  const live = server.store.get(stored);
  if (live === undefined || live.uid !== stored.uid || server.closing.aborted || !isDue(live)) return;
  const updated = cloneJson(live.object);
  const status = (updated["status"] ?? {}) as JsonObject;
  if (problem !== undefined) {
    const now = rfc3339(server.clock.now());
    const times = { lastUpdateTime: now, lastTransitionTime: now };
    const failed = { type: "Failed", status: "True", reason: "SignerValidationFailure", message: problem, ...times };
    change["conditions"] = [...(Array.isArray(status["conditions"]) ? status["conditions"] : []), failed];
  }
  updated["status"] = { ...status, ...change };
  server.store.put(live, updated);
}

function usageProblem(usages: readonly string[]): string | undefined {
  if (!usages.includes("client auth")) return "client auth usage is required";
  const other = usages.filter((usage) => !ALLOWED.has(usage));
  return other.length === 0 ? undefined : `usages not permitted for client certificates: ${other.join(", ")}`;
}
