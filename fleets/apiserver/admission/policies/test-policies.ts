// What tests of policies share: policies about the ConfigMaps of the default namespace, each with bindings.
import { type Answer, CONFIG_MAPS, configMap, type TestServer } from "../../test-server.ts";

export const REGISTRATION = "/apis/admissionregistration.k8s.io/v1";
const API_VERSION = "admissionregistration.k8s.io/v1";

export function resourceRules(
  operations: readonly string[] = ["CREATE", "UPDATE"],
  resources = ["configmaps"],
  group = "",
) {
  return [{ apiGroups: [group], apiVersions: ["v1"], operations, resources }];
}

/** The parts of a `ConfigMap` as the kind of parameters. */
export const PARAM_KIND = { apiVersion: "v1", kind: "ConfigMap" };

/** Creates a policy `name` and its bindings `name-0`, `name-1` ... */
export async function createPolicy(
  test: TestServer,
  half: "Validating" | "Mutating",
  name: string,
  spec: object,
  ...bindings: readonly object[]
): Promise<void> {
  const kind = `${half}AdmissionPolicy`;
  const plural = `${half.toLowerCase()}admissionpolic`;
  const create = async (path: string, body: object): Promise<void> => {
    const answer = await test.call("POST", path, body);
    if (answer.status !== 201) throw new Error(String(answer.body["message"]));
  };
  const own = half === "Mutating" ? { reinvocationPolicy: "Never" } : {};
  const whole = { matchConstraints: { resourceRules: resourceRules() }, ...own, ...spec };
  await create(`${REGISTRATION}/${plural}ies`, { apiVersion: API_VERSION, kind, metadata: { name }, spec: whole });
  for (const [index, binding] of (bindings.length === 0 ? [{}] : bindings).entries()) {
    const actions = half === "Validating" ? { validationActions: ["Deny"] } : {};
    await create(`${REGISTRATION}/${plural}ybindings`, {
      apiVersion: API_VERSION,
      kind: `${kind}Binding`,
      metadata: { name: `${name}-${index}` },
      spec: { policyName: name, ...actions, ...binding },
    });
  }
}

/** Creates the ConfigMap `one`. */
export function createOne(test: TestServer, data: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return test.call("POST", CONFIG_MAPS, configMap("one", data));
}
