import { describe, expect, it } from "vitest";
import { parseFleetTests } from "../../../api/parse-fleet-test.ts";
import type { TestResult } from "../../../api/plan-report.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { cluster, deployment, overridePolicy, policy, weighted, world } from "../../../test/builders.ts";
import { createInterpreter } from "../../interpreter/levels.ts";
import { nativeLevel } from "../../interpreter/native.ts";
import { runRiver } from "../river.ts";
import { DEFAULT_TEST_LIMITS, runFleetTests, type TestLimits } from "./run-fleet-tests.ts";

const KINDS = ["apps/v1 Deployment", "v1 Secret"];
const clusters = [
  cluster({ name: "paris-1", region: "eu", provider: "aws", labels: { tier: "gold" }, kinds: KINDS }),
  cluster({ name: "paris-2", region: "eu", provider: "gcp", kinds: KINDS }),
  cluster({ name: "tokyo-1", region: "ap", provider: "azure", kinds: KINDS }),
];

const secret: KubeObject = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "db", namespace: "shop" },
  data: { password: "aHVudGVyMg==" },
};

function outcomes() {
  return world({
    clusters,
    policies: [
      policy({ name: "p", placement: weighted({ "paris-1": 1, "paris-2": 1, "tokyo-1": 2 }) }),
      policy({ name: "s", selects: [{ apiVersion: "v1", kind: "Secret" }], clusters: ["paris-1"] }),
    ],
    overridePolicies: [
      overridePolicy({
        name: "mirror",
        rules: [
          {
            targetCluster: { clusterNames: ["paris-2"] },
            overriders: {
              imageOverrider: [{ component: "Registry", operator: "replace", value: "mirror.example.net" }],
            },
          },
        ],
      }),
    ],
    templates: [
      deployment({ name: "web", replicas: 8, image: "registry.example.com/web:1", labels: { app: "web" } }),
      deployment({ name: "cart", replicas: 4, image: "registry.example.com/cart:1" }),
      secret,
    ],
  });
}

async function run(
  tests: string,
  limits: TestLimits = DEFAULT_TEST_LIMITS,
  budgets: readonly KubeObject[] = [],
): Promise<TestResult[]> {
  const given = { ...outcomes(), budgets };
  const head = "apiVersion: test.flaghoist.io/v1alpha1\nkind: FleetTest\ntests:\n";
  const file = "tests/shop.fleet.yaml";
  const decided = runRiver(given, { interpreter: createInterpreter({ native: nativeLevel() }), now: 0 });
  return runFleetTests(
    [{ file, parsed: parseFleetTests(head + tests, file) }],
    { world: given, outcomes: decided, now: 0, originOf: () => "apps/web.yaml:3" },
    limits,
  );
}

const WEB = "{kind: Deployment, namespace: shop, name: web}";

async function resultOf(expected: string, objects = WEB): Promise<TestResult | undefined> {
  return (await run(`- {name: it, objects: ${objects}, expect: ${expected}}\n`))[0];
}

describe("a fleet test", () => {
  it.each([
    "{replicas: {exactly: 8}, copies: {exactly: 3}}",
    "{replicas: {atLeast: 4, atMost: 4, in: {region: eu}}}",
    "{survives: {whenLost: {any: region}, atLeast: 4}}",
    "{survives: {whenLost: {cluster: tokyo-1}, atLeast: 8, counting: recovered}}",
    "{onlyOn: {provider: [aws, gcp, azure]}}",
    "{neverOn: {provider: hetzner}}",
    "{presentOn: {labels: {tier: gold}}}",
    "{spread: {over: region, atLeast: 2}}",
    "{images: {allow: ['*.example.*/web:*'], deny: ['docker.io/*']}}",
    "{fields: [{path: 'spec.template.spec.containers[*].image', matches: ':1$'}, {path: spec.paused, absent: true}]}",
  ])("passes where it holds: %s", async (expected) => {
    expect(await resultOf(expected)).toEqual({
      name: "it",
      place: { file: "tests/shop.fleet.yaml", line: 4 },
      outcome: "passed",
    });
  });

  it.each([
    ["{replicas: {atLeast: 9}}", "Deployment shop/web has 8 replicas, expected at least 9"],
    ["{copies: {exactly: 1, in: {region: eu}}}", "Deployment shop/web has 2 copies in region eu, expected exactly 1"],
    [
      "{survives: {whenLost: {any: region}, atLeast: 6}}",
      "Deployment shop/web has 4 replicas when region ap is lost, expected at least 6",
    ],
    [
      "{onlyOn: {provider: [aws, gcp]}}",
      "Deployment shop/web is to be only on provider aws or gcp, and is on 1 cluster more",
    ],
    ["{neverOn: {region: ap}}", "Deployment shop/web is never to be on region ap, and is on 1 cluster"],
    [
      "{spread: {over: region, atLeast: 3}}",
      "Deployment shop/web is spread over 2 regions (ap, eu), expected at least 3",
    ],
    [
      "{images: {allow: [registry.example.com/*], in: {region: eu}}}",
      "1 image of Deployment shop/web that does not fit: only registry.example.com/* is allowed",
    ],
    ["{absent: true}", "Deployment shop/web is to be on no cluster, and is on 3 clusters"],
    ["{replicas: {atLeast: 1, in: {region: euu}}}", "no cluster of the fleet is region euu. Did you mean eu?"],
    ["{survives: {whenLost: {region: app}, atLeast: 1}}", "the fleet has no region app. Did you mean ap?"],
  ])("says what was found and what was expected: %s", async (expected, message) => {
    expect(await resultOf(expected)).toMatchObject({ outcome: "failed", message });
  });

  it("keeps what budgets say, and one replica where none does", async () => {
    const expected = "{survives: {whenLost: {any: region}, atLeast: budget}}";
    const budget = (minAvailable: number): KubeObject => ({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "web", namespace: "shop" },
      spec: { minAvailable, selector: { matchLabels: { app: "web" } } },
    });
    const withBudget = async (least: number) =>
      (await run(`- {name: it, objects: ${WEB}, expect: ${expected}}\n`, DEFAULT_TEST_LIMITS, [budget(least)]))[0];

    expect(await resultOf(expected)).toMatchObject({ outcome: "passed" });
    expect(await withBudget(4)).toMatchObject({ outcome: "passed" });
    expect(await withBudget(5)).toMatchObject({
      outcome: "failed",
      message:
        "Deployment shop/web has 4 replicas when region ap is lost, expected at least 5 (PodDisruptionBudget shop/web)",
    });
  });

  it("names the cluster, the image, and the override that wrote it", async () => {
    const result = await resultOf("{images: {allow: [registry.example.com/*]}}");

    expect(result?.details).toEqual([
      "paris-2: Deployment shop/web: spec.template.spec.containers[web].image is mirror.example.net/web:1 ← override shop/mirror, rule 1",
    ]);
  });

  it("names the file of what no override wrote", async () => {
    const result = await resultOf("{images: {deny: ['*/web:*'], in: {names: tokyo-1}}}");

    expect(result?.details?.[0]).toMatch(/registry\.example\.com\/web:1 ← apps\/web\.yaml:3$/);
  });

  it("holds for each object, or for all together", async () => {
    const all = "{kind: Deployment, namespace: shop}";
    const [each, together] = await run(
      `- {name: each, objects: ${all}, expect: {replicas: {atLeast: 8}}}\n- {name: all, each: false, objects: ${all}, expect: {replicas: {exactly: 12}}}\n`,
    );

    expect(each).toMatchObject({
      outcome: "failed",
      message: "Deployment shop/cart has 4 replicas, expected at least 8",
    });
    expect(together?.outcome).toBe("passed");
  });

  it("fails where nothing is selected, unless that is expected", async () => {
    const nobody = "{kind: Deployment, name: 'wab*'}";

    expect(await resultOf("{replicas: {atLeast: 0}}", nobody)).toMatchObject({
      outcome: "failed",
      message: "there is no Deployment wab*",
    });
    expect(await resultOf("{absent: true}", nobody)).toMatchObject({ outcome: "passed" });
  });

  it("neither compares nor tells what is in Secrets", async () => {
    const objects = "{kind: Secret, name: db}";
    for (const path of ["data.password", "data", "'*'", "'*.password'", "'data[*]'"]) {
      const results = [
        await resultOf(`{fields: [{path: ${path}, equals: aHVudGVyMg==}]}`, objects),
        await resultOf(`{fields: [{path: ${path}, matches: '^b'}]}`, objects),
      ];

      for (const result of results) {
        expect(result).toMatchObject({ outcome: "failed" });
        expect(result?.message).toContain("is not compared");
        expect(JSON.stringify(result)).not.toContain("aHVudGVyMg");
      }
    }
  });

  it("is skipped with a reason, beyond the number of tests, and when there is no more time", async () => {
    const two = [1, 2].map((at) => `- {name: t${at}, objects: ${WEB}, expect: {copies: {exactly: 3}}}\n`).join("");
    const skipped = `- {name: s, skip: until May, objects: ${WEB}, expect: {absent: true}}\n`;

    expect(await run(skipped)).toMatchObject([{ outcome: "skipped", message: "until May" }]);
    expect(await run(two, { ...DEFAULT_TEST_LIMITS, tests: 1 })).toMatchObject([
      { outcome: "passed" },
      { outcome: "skipped", message: "more than 1 tests are not run" },
    ]);
    expect(await run(two, { ...DEFAULT_TEST_LIMITS, isOver: () => true })).toMatchObject([
      { outcome: "skipped", message: "there was no more time" },
      { outcome: "skipped" },
    ]);
  });
});

describe("a file of fleet tests", () => {
  it.each([
    [
      "- {name: x, objcts: {kind: Pod}, objects: {kind: Pod}, expect: {absent: true}}",
      "4:13: tests[0].objcts: there is no such field. Did you mean objects?",
    ],
    [
      "- {name: x, objects: {kind: Pod}, expect: {replica: {atLeast: 1}}}",
      "4:44: tests[0].expect.replica: there is no such field. Did you mean replicas?",
    ],
    ["- {name: x, objects: {kind: Pod}, expect: {}}", "4:35: tests[0].expect: expects nothing"],
    [
      "- {name: x, objects: {kind: Pod}, expect: {survives: {atLeast: 1, whenLost: {any: regio}}}}",
      '4:78: tests[0].expect.survives.whenLost.any: "regio" is not one of cluster, zone, region, provider. Did you mean region?',
    ],
    [
      "- {name: x, objects: {kind: Pod}, expect: {fields: [{path: a, matches: '('}]}}",
      "4:63: tests[0].expect.fields[0].matches: is no regular expression",
    ],
    ["- {name: x", "tests/shop.fleet.yaml"],
  ])("says where it is wrong: %s", async (text, words) => {
    const [result] = await run(`${text}\n`);

    expect(result).toMatchObject({ outcome: "failed", name: "the file can be read" });
    expect(result?.message).toContain(words);
  });
});
