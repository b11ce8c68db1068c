import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../../test-server.ts";
import { createOne, createPolicy, PARAM_KIND, REGISTRATION, resourceRules } from "./test-policies.ts";

const ONE = `${CONFIG_MAPS}/one`;
const MERGE = { "content-type": "application/merge-patch+json" };

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer();
});
afterEach(() => test.server.close());

function policy(name: string, spec: object, ...bindings: readonly object[]): Promise<void> {
  return createPolicy(test, "Validating", name, spec, ...bindings);
}

async function messageOfOne(data: Readonly<Record<string, string>> = {}): Promise<string> {
  return String((await createOne(test, data)).body["message"]);
}

describe("a ValidatingAdmissionPolicy", () => {
  it("refuses what its expression is false for", async () => {
    await policy("p", { validations: [{ expression: " object.data.size() > 1 " }] });
    const text =
      "ValidatingAdmissionPolicy 'p' with binding 'p-0' denied request: failed expression: object.data.size() > 1";

    expect(await createOne(test, { a: "1" })).toMatchObject({
      status: 422,
      body: {
        reason: "Invalid",
        message: `configmaps "one" is forbidden: ${text}`,
        details: { name: "one", kind: "configmaps", causes: [{ message: text }] },
      },
    });
    expect((await createOne(test, { a: "1", b: "2" })).status).toBe(201);
  });

  it("says what the validation says, with its reason", async () => {
    const validation = { expression: "false", message: "m", messageExpression: "'name ' + object.metadata.name" };
    await policy("p", { validations: [{ ...validation, reason: "Forbidden" }] });
    const answer = await createOne(test);

    expect(answer).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
    expect(answer.body["message"]).toMatch(/denied request: name one$/);
  });

  it.each([
    ["fails", "string(object.data.nope)"],
    ["is blank", "'  '"],
    ["has line breaks", "'a\\nb'"],
    ["is too long", `'${"x".repeat(6000)}'`],
  ])("falls back to the message when its messageExpression %s", async (_what, messageExpression) => {
    await policy("p", { validations: [{ expression: "false", message: "plain", messageExpression }] });
    expect(await messageOfOne()).toMatch(/denied request: plain$/);
  });

  it("does nothing without a binding, and nothing any more once one is gone", async () => {
    await policy("p", { validations: [{ expression: "false" }] });
    await test.call("DELETE", `${REGISTRATION}/validatingadmissionpolicybindings/p-0`);
    expect((await createOne(test)).status).toBe(201);
  });

  it("warns where the binding says Warn, also beside a refusal", async () => {
    const bindings = [{ validationActions: ["Deny"] }, { validationActions: ["Warn", "Audit"] }];
    await policy("p", { validations: [{ expression: "false", message: "careful" }] }, ...bindings);
    const answer = await createOne(test);

    expect(answer.status).toBe(422);
    expect(answer.headers["warning"]).toEqual([
      `299 - "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p-1': careful"`,
    ]);
  });

  it("refuses when an expression fails, unless failures are ignored", async () => {
    const spec = { validations: [{ expression: "object.data.nope == 'a'" }] };
    await policy("ignoring", { ...spec, failurePolicy: "Ignore" });
    expect((await createOne(test)).status).toBe(201);
    await policy("p", spec);

    expect((await test.call("PUT", ONE, configMap("one", { a: "1" }))).body["message"]).toMatch(
      /denied request: expression 'object.data.nope == 'a'' resulted in error: no such key: nope$/,
    );
  });

  it("shows expressions the write, and both objects of an update", async () => {
    const said = "request.operation + ' ' + request.name + ' ' + request.kind.kind + ' ' + string(request.dryRun)";
    await policy("p", {
      matchConditions: [{ name: "update", expression: "oldObject != null" }],
      validations: [{ expression: "object.data.v == oldObject.data.v", messageExpression: said }],
    });
    await createOne(test, { v: "1" });
    const answer = await test.call("PATCH", `${ONE}?dryRun=All`, { data: { v: "2" } }, MERGE);

    expect(answer.body["message"]).toMatch(/denied request: UPDATE one ConfigMap true$/);
  });

  it("shows deletions the old object only", async () => {
    await policy("p", {
      matchConstraints: { resourceRules: resourceRules(["DELETE"]) },
      validations: [{ expression: "object != null", messageExpression: "'not ' + oldObject.metadata.name" }],
    });
    await createOne(test);
    expect((await test.call("DELETE", ONE)).body["message"]).toMatch(/denied request: not one$/);
    expect((await test.call("GET", ONE)).status).toBe(200);
  });

  it("shows the namespace, and asks who may do what", async () => {
    await policy("p", {
      validations: [
        {
          expression: "!authorizer.requestResource.check('create').allowed()",
          messageExpression: "namespaceObject.metadata.name + ' is ' + namespaceObject.status.phase",
        },
      ],
    });
    expect(await messageOfOne()).toMatch(/denied request: default is Active$/);
  });

  it("evaluates variables that are read, each after the ones before it", async () => {
    await policy("p", {
      variables: [
        { name: "broken", expression: "object.data.nope" },
        { name: "a", expression: "object.data.v" },
        { name: "b", expression: "variables.a + '!'" },
      ],
      validations: [{ expression: "variables.b == 'x'", messageExpression: "variables.b" }],
    });
    expect(await messageOfOne({ v: "q" })).toMatch(/denied request: q!$/);
  });

  it("passes by what its match conditions or selectors leave out", async () => {
    const validations = [{ expression: "false" }];
    await policy("conditions", { validations, matchConditions: [{ name: "a", expression: "object.data.v == 'x'" }] });
    const selector = { matchLabels: { a: "b" } };
    await policy("selected", {
      validations,
      matchConstraints: { resourceRules: resourceRules(), objectSelector: selector },
    });
    await policy("elsewhere", { validations }, { matchResources: { namespaceSelector: selector } });

    expect((await createOne(test, { v: "1" })).status).toBe(201);
    expect((await test.call("PUT", ONE, configMap("one", { v: "x" }))).body["message"]).toContain("'conditions'");
  });

  it("is not asked about policies, so that they can be repaired", async () => {
    const everything = [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }];
    await policy("p", { matchConstraints: { resourceRules: everything }, validations: [{ expression: "false" }] });
    expect((await createOne(test)).status).toBe(422);
    expect((await test.call("DELETE", `${REGISTRATION}/validatingadmissionpolicies/p`)).status).toBe(200);
    expect((await createOne(test)).status).toBe(201);
  });

  it("ends an expression that takes too long", async () => {
    const digits = "[1,2,3,4,5,6,7,8,9,10]";
    const nested = ["a", "b", "c", "d", "e", "f", "g", "h"].reduceRight(
      (inner, name) => `${digits}.all(${name}, ${inner})`,
      "a + h > 0",
    );
    await policy("p", { validations: [{ expression: nested }] });
    expect(await messageOfOne()).toMatch(/resulted in error: operation (interrupted|cancelled)/);
  });
});

describe("the parameters of a policy", () => {
  const validations = [{ expression: "false", messageExpression: "'by ' + params.metadata.name" }];
  const spec = {
    paramKind: PARAM_KIND,
    validations,
    matchConditions: [{ name: "one", expression: "object.metadata.name == 'one'" }],
  };

  beforeEach(async () => {
    await test.call("POST", CONFIG_MAPS, configMap("first", {}, { labels: { is: "param" } }));
    await test.call("POST", CONFIG_MAPS, configMap("second", {}, { labels: { is: "param" } }));
  });

  it("are found by name, in the namespace of the object unless the binding names one", async () => {
    await policy("p", spec, { paramRef: { name: "second", parameterNotFoundAction: "Deny" } });
    expect(await messageOfOne()).toMatch(/denied request: by second$/);
  });

  it("are found by labels, and each is evaluated", async () => {
    const paramRef = { selector: { matchLabels: { is: "param" } }, parameterNotFoundAction: "Deny" };
    await policy("p", spec, { paramRef, validationActions: ["Warn"] });
    const answer = await createOne(test);

    expect(answer.status).toBe(201);
    expect(answer.headers["warning"]).toEqual([
      expect.stringContaining("by first"),
      expect.stringContaining("by second"),
    ]);
  });

  it("may be missing where the binding allows it", async () => {
    await policy("allowing", spec, { paramRef: { name: "none", parameterNotFoundAction: "Allow" } });
    expect((await createOne(test)).status).toBe(201);
    await policy("denying", spec, { paramRef: { name: "none", parameterNotFoundAction: "Deny" } });
    expect((await test.call("PUT", ONE, configMap("one", { a: "1" }))).body["message"]).toMatch(
      /failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
    );
  });

  it("must have a kind that is served", async () => {
    const paramKind = { apiVersion: "example.com/v1", kind: "Limit" };
    await policy("p", { ...spec, paramKind }, { paramRef: { name: "x", parameterNotFoundAction: "Deny" } });
    expect(await messageOfOne()).toMatch(
      /'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com\/v1, Kind=Limit'$/,
    );
  });
});
