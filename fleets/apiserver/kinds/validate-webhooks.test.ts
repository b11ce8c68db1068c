// Expected texts are those of kube-apiserver 1.36.
import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { validateWebhooks } from "./validate-webhooks.ts";

const RULE = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], scope: "*" };
const WEBHOOK = {
  name: "a.example.com",
  clientConfig: { url: "https://host/path" },
  rules: [RULE],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
};

function errorsOf(...webhooks: readonly object[]): string[] {
  const configuration: KubeObject = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "x" },
    webhooks: webhooks.map((webhook) => ({ ...WEBHOOK, ...webhook })),
  };
  return validateWebhooks(configuration).map(({ field, message }) => `${field}: ${message}`);
}

const url = (text: string): object => ({ clientConfig: { url: text } });
const service = (parts: object): object => ({ clientConfig: { service: { namespace: "n", name: "s", ...parts } } });
const rule = (parts: object): object => ({ rules: [{ ...RULE, ...parts }] });
const FORM = "; desired format: https://host[/path]";

describe("validateWebhooks", () => {
  it.each([
    {},
    url("https://host:8443"),
    url("https://[::1]:8443/a"),
    service({ path: "/" }),
    service({ path: "/a/b/", port: 8443 }),
    rule({ resources: ["*", "pods/status", "*/scale"] }),
    rule({ resources: ["*/*"] }),
    { admissionReviewVersions: ["v2", "v1beta1"] },
    { matchConditions: [{ name: "example.com/a", expression: "true" }] },
  ])("accepts %j", (webhook) => {
    expect(errorsOf(webhook)).toEqual([]);
  });

  it.each<[object, string, string]>([
    [url("http://host"), "clientConfig.url", `Invalid value: "http": 'https' is the only allowed URL scheme${FORM}`],
    [url("https:///x"), "clientConfig.url", `Invalid value: "": host must be specified${FORM}`],
    [url("https://u:p@host"), "clientConfig.url", 'Invalid value: "u:p": user information is not permitted in the URL'],
    [url("https://host#f"), "clientConfig.url", 'Invalid value: "f": fragments are not permitted in the URL'],
    [
      url("https://host?a=b"),
      "clientConfig.url",
      'Invalid value: "a=b": query parameters are not permitted in the URL',
    ],
    [
      url("://"),
      "clientConfig.url",
      `Required value: url must be a valid URL: parse "://": missing protocol scheme${FORM}`,
    ],
    [
      url("https://h/%zz"),
      "clientConfig.url",
      `Required value: url must be a valid URL: parse "https://h/%zz": invalid URL escape "%zz"${FORM}`,
    ],
    [{ clientConfig: {} }, "clientConfig", "Required value: exactly one of url or service is required"],
    [service({ name: "" }), "clientConfig.service.namespace", "Required value"],
    [service({ path: "/a//b" }), "clientConfig.service.path", 'Invalid value: "/a//b": segment[1] may not be empty'],
    [
      service({ port: 70000 }),
      "clientConfig.service.port",
      "Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive",
    ],
    [
      { reinvocationPolicy: "X" },
      "reinvocationPolicy",
      'Unsupported value: "X": supported values: "IfNeeded", "Never"',
    ],
    [{ sideEffects: "Some" }, "sideEffects", 'Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    [{ timeoutSeconds: 31 }, "timeoutSeconds", "Invalid value: 31: the timeout value must be between 1 and 30 seconds"],
    [
      { admissionReviewVersions: ["v2"] },
      "admissionReviewVersions",
      'Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ],
    [{ admissionReviewVersions: ["v1", "v1"] }, "admissionReviewVersions[1]", 'Invalid value: "v1": duplicate version'],
    [
      rule({ apiGroups: ["*", "a"] }),
      "rules[0].apiGroups",
      `Invalid value: ["*","a"]: if '*' is present, must not specify other API groups`,
    ],
    [rule({ apiVersions: [""] }), "rules[0].apiVersions[0]", "Required value"],
    [
      rule({ resources: ["*", "pods"] }),
      "rules[0].resources",
      `Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources`,
    ],
    [
      rule({ resources: ["*/a", "pods/a"] }),
      "rules[0].resources[1]",
      `Invalid value: "pods/a": if '*/a' is present, must not specify pods/a`,
    ],
    [
      rule({ resources: ["pods/*", "pods/a"] }),
      "rules[0].resources[1]",
      `Invalid value: "pods/a": if 'pods/*' is present, must not specify pods/a`,
    ],
    [rule({ scope: "" }), "rules[0].scope", 'Unsupported value: "": supported values: "*", "Cluster", "Namespaced"'],
    [
      { namespaceSelector: { matchExpressions: [{ key: "a", operator: "X" }] } },
      "namespaceSelector.matchExpressions[0].operator",
      'Invalid value: "X": not a valid selector operator',
    ],
    [
      { matchConditions: Array.from({ length: 65 }, (_, index) => ({ name: `a${index}`, expression: "true" })) },
      "matchConditions",
      "Too many: 65: must have at most 64 items",
    ],
    [{ matchConditions: [{ name: "a", expression: " " }] }, "matchConditions[0].expression", "Required value"],
  ])("refuses %j", (webhook, field, message) => {
    expect(errorsOf(webhook)).toEqual([`webhooks[0].${field}: ${message}`]);
  });

  it("refuses two webhooks of one name", () => {
    expect(errorsOf({}, {})).toEqual(['webhooks[1].name: Duplicate value: "a.example.com"']);
  });
});
