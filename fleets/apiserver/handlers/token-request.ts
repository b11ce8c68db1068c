// The token subresource of ServiceAccounts.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { isObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { runSteps } from "../../../runtime/steps.ts";
import { invalid } from "../registry/status-error.ts";
import { parseBody } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { readWriteOptions } from "../request/options.ts";
import { TOKEN_ISSUER } from "../tokens/service-account-tokens.ts";
import { admitSubresource } from "./admission.ts";
import { answerValue } from "./answers.ts";
import { writeRequestOf } from "./create-update.ts";
import { requireObject } from "./read.ts";

const GROUP = "authentication.k8s.io";
const DEFAULT_S = 3600;
const SHORTEST_S = 600;
const LONGEST_S = 2 ** 32;

/** Answers a TokenRequest with a token. */
export async function createToken(exchange: Exchange): Promise<ApiResponse> {
  const { server, request, query } = exchange;
  const options = readWriteOptions(query, "CreateOptions");
  const { json } = parseBody(request, false, "TokenRequest");
  const kind = { group: GROUP, version: "v1", kind: "TokenRequest" };
  const { name } = requireObject(exchange);
  const admitted = await runSteps(admitSubresource(writeRequestOf(exchange, options), "CREATE", kind, name, json));
  const account = requireObject(exchange);
  const spec = isObject(admitted["spec"]) ? admitted["spec"] : {};
  const given = Array.isArray(spec["audiences"]) ? spec["audiences"].map(String) : [];
  const audiences = given.length === 0 ? [TOKEN_ISSUER] : given;
  const asked = Number(spec["expirationSeconds"] ?? 0);
  const expirationSeconds = asked === 0 ? DEFAULT_S : asked;
  const tooShort = expirationSeconds < SHORTEST_S;
  if (tooShort || expirationSeconds > LONGEST_S) {
    const why = tooShort
      ? "may not specify a duration less than 10 minutes"
      : "may not specify a duration larger than 2^32 seconds";
    throw invalid({ group: GROUP, kind: "TokenRequest" }, "", [
      {
        reason: "FieldValueInvalid",
        field: "spec.expirationSeconds",
        message: `Invalid value: ${expirationSeconds}: ${why}`,
      },
    ]);
  }
  const { token, expiresMs } = server.tokens.issue(account, audiences, expirationSeconds);
  return answerValue(exchange, 201, {
    kind: "TokenRequest",
    apiVersion: `${GROUP}/v1`,
    metadata: {
      name: account.name,
      namespace: account.namespace,
      creationTimestamp: rfc3339(server.clock.now()),
    },
    spec: { audiences, expirationSeconds, boundObjectRef: spec["boundObjectRef"] ?? null },
    status: { token, expirationTimestamp: rfc3339(expiresMs) },
  });
}
