import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../../test-server.ts";
import { createOne, createPolicy, PARAM_KIND, resourceRules } from "./test-policies.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer();
});
afterEach(() => test.server.close());

function policy(name: string, spec: object, ...bindings: readonly object[]): Promise<void> {
  return createPolicy(test, "Mutating", name, spec, ...bindings);
}

function patches(...expressions: readonly string[]) {
  return { mutations: expressions.map((expression) => ({ patchType: "JSONPatch", jsonPatch: { expression } })) };
}

function configuration(expression: string) {
  return { mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }] };
}

function addData(key: string, value: string): string {
  return `[JSONPatch{op: 'add', path: '/data/${key}', value: ${value}}]`;
}

function deployment() {
  const labels = { app: "a" };
  const spec = { containers: [{ name: "c", image: "i", env: [{ name: "A", value: "1" }] }] };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

const OF_DEPLOYMENTS = { matchConstraints: { resourceRules: resourceRules(["CREATE"], ["deployments"], "apps") } };

describe("JSON patches of a MutatingAdmissionPolicy", () => {
  it("change the object, each after the one before", async () => {
    await policy("p", patches(addData("b", "'2'"), addData("c", "object.data.b + '!'")));
    expect((await createOne(test, { a: "1" })).body["data"]).toEqual({ a: "1", b: "2", c: "2!" });
  });

  it("may escape keys and write objects", async () => {
    const key = "'/metadata/annotations/' + jsonpatch.escapeKey('example.com/a')";
    const empty = "JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}";
    const container = "Object.spec.template.spec.containers{name: 'side', image: 's'}";
    await policy("keys", patches(`[${empty}, JSONPatch{op: 'add', path: ${key}, value: 'x'}]`));
    await policy("objects", {
      ...patches(`[JSONPatch{op: 'add', path: '/spec/template/spec/containers/-', value: ${container}}]`),
      ...OF_DEPLOYMENTS,
    });

    expect((await createOne(test)).body["metadata"]?.["annotations"]).toEqual({ "example.com/a": "x" });
    const answer = await test.call("POST", DEPLOYMENTS, deployment());
    const containers = answer.body["spec"]?.["template"]?.["spec"]?.["containers"];
    expect(containers?.map((item) => item["name"])).toEqual(["c", "side"]);
  });

  it("leave the object when a test of theirs fails", async () => {
    const test1 = "JSONPatch{op: 'test', path: '/data/a', value: 'other'}";
    await policy("p", patches(`[${test1}, JSONPatch{op: 'remove', path: '/data/a'}]`));
    expect((await createOne(test, { a: "1" })).body["data"]).toEqual({ a: "1" });
  });

  it("refuse the write when they do not apply, unless failures are ignored", async () => {
    const broken = patches("[JSONPatch{op: 'remove', path: '/data/nope'}]");
    await policy("ignoring", { ...broken, failurePolicy: "Ignore" });
    expect((await createOne(test)).status).toBe(201);
    await policy("p", broken);

    expect(await test.call("POST", CONFIG_MAPS, configMap("two", { a: "1" }))).toMatchObject({
      status: 403,
      body: {
        reason: "Invalid",
        message:
          "policy 'p' with binding 'p-0' denied request: JSON Patch: error in remove for path: '/data/nope': Unable to remove nonexistent key: nope: missing value",
      },
    });
  });

  it("cannot make the object something that its kind has no place for", async () => {
    await policy("p", patches("[JSONPatch{op: 'add', path: '/foo', value: 1}]"));
    expect(await createOne(test)).toMatchObject({
      status: 500,
      body: { message: 'Internal error occurred: strict decoding error: unknown field "foo"' },
    });
  });
});

describe("apply configurations of a MutatingAdmissionPolicy", () => {
  it("are merged as by a client that applies them", async () => {
    const env = "Object.spec.template.spec.containers.env{name: 'B', value: '2'}";
    const containers = `[Object.spec.template.spec.containers{name: 'c', env: [${env}]}]`;
    const spec = `Object.spec.template.spec{containers: ${containers}}`;
    const template = `Object.spec{replicas: 3, template: Object.spec.template{spec: ${spec}}}`;
    await policy("p", { ...configuration(`Object{spec: ${template}}`), ...OF_DEPLOYMENTS });
    const { body } = await test.call("POST", DEPLOYMENTS, deployment());

    expect(body["spec"]).toMatchObject({
      replicas: 3,
      template: {
        spec: {
          containers: [
            {
              image: "i",
              env: [
                { name: "A", value: "1" },
                { name: "B", value: "2" },
              ],
            },
          ],
        },
      },
    });
  });

  it.each([
    ["Object{foo: 'b'}", "failed to convert patch object to typed object: .foo: field not declared in schema"],
    ["Object{data: 'x'}", "failed to convert patch object to typed object: .data: expected map, got &{x}"],
  ])("that do not fit the kind are refused: %s", async (expression, why) => {
    await policy("p", configuration(expression));
    expect((await createOne(test)).body["message"]).toBe(
      `policy 'p' with binding 'p-0' denied request: error applying patch: ${why}`,
    );
  });

  it("may not replace what cannot be merged", async () => {
    const command = "Object.spec.template.spec.containers{name: 'c', command: ['x']}";
    const spec = `Object.spec.template{spec: Object.spec.template.spec{containers: [${command}]}}`;
    await policy("p", { ...configuration(`Object{spec: Object.spec{template: ${spec}}}`), ...OF_DEPLOYMENTS });
    expect((await test.call("POST", DEPLOYMENTS, deployment())).body["message"]).toContain(
      "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.containers",
    );
  });

  it("must name types by their place", async () => {
    await policy("p", configuration("Object{data: Object.foo{a: 'b'}}"));
    expect((await createOne(test)).body["message"]).toContain(
      'unexpected type name "Object.foo", expected "Object.data"',
    );
  });
});

describe("a MutatingAdmissionPolicy", () => {
  it("is evaluated for each parameter, with variables and conditions", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("first", { v: "1" }, { labels: { is: "param" } }));
    await test.call("POST", CONFIG_MAPS, configMap("second", { v: "2" }, { labels: { is: "param" } }));
    const paramRef = { selector: { matchLabels: { is: "param" } }, parameterNotFoundAction: "Deny" };
    const spec = {
      ...patches("[JSONPatch{op: 'add', path: '/data/' + params.metadata.name, value: variables.v}]"),
      paramKind: PARAM_KIND,
      variables: [{ name: "v", expression: "params.data.v" }],
    };
    await policy("p", spec, { paramRef });
    await policy("never", { ...spec, matchConditions: [{ name: "n", expression: "false" }] }, { paramRef });

    expect((await createOne(test, { a: "0" })).body["data"]).toEqual({ a: "0", first: "1", second: "2" });
  });

  it("comes before policies that check", async () => {
    await policy("p", patches(addData("b", "'2'")));
    await createPolicy(test, "Validating", "v", { validations: [{ expression: "object.data.b == '2'" }] });
    expect((await createOne(test, { a: "1" })).status).toBe(201);
  });

  it("is asked again about what others changed after it, where it wants that", async () => {
    const grow = addData("a", "object.data.a + '.'");
    await policy("a-again", { ...patches(grow), reinvocationPolicy: "IfNeeded" });
    await policy("b-once", patches(addData("b", "string(object.data.a.size())")));

    expect((await createOne(test, { a: "" })).body["data"]).toEqual({ a: "..", b: "1" });
  });
});
