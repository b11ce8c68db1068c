import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ran, runFlaghoist } from "../../../test/run-flaghoist.ts";
import { EXIT } from "../command.ts";

const CUSTOMIZATION = `apiVersion: config.karmada.io/v1alpha1
kind: ResourceInterpreterCustomization
metadata: { name: machine }
spec:
  target: { apiVersion: acme.dev/v1, kind: Machine }
  customizations:
    retention:
      luaScript: |
        function Retain(desired, observed)
          desired.spec.paused = observed.spec.paused
          return desired
        end
    replicaResource:
      luaScript: |
        function GetReplicas(obj)
          return obj.spec.units, {resourceRequest = {cpu = "1000m"}}
        end
    componentResource:
      luaScript: |
        function GetComponents(obj)
          return {{name = "main", replicas = obj.spec.units}}
        end
    replicaRevision:
      luaScript: |
        function ReviseReplica(obj, desired)
          obj.spec.units = desired
          return obj
        end
    statusReflection:
      luaScript: |
        function ReflectStatus(observed)
          return observed.status
        end
    statusAggregation:
      luaScript: |
        function AggregateStatus(desired, items)
          desired.status = {ready = 0}
          for i = 1, #items do
            desired.status.ready = desired.status.ready + items[i].status.ready
          end
          return desired
        end
    healthInterpretation:
      luaScript: |
        function InterpretHealth(observed)
          return observed.status.ready == observed.spec.units
        end
    dependencyInterpretation:
      luaScript: |
        function GetDependencies(desired)
          return {{apiVersion = "v1", kind = "ConfigMap", namespace = desired.metadata.namespace, name = "conf"}}
        end
`;

const BROKEN = `apiVersion: config.karmada.io/v1alpha1
kind: ResourceInterpreterCustomization
metadata: { name: broken }
spec:
  target: { apiVersion: acme.dev/v1, kind: Machine }
  customizations:
    retention:
      luaScript: |
        function Retain(desired, observed)
          return desired observed
        end
    replicaResource: { luaScript: "function GetReplica(obj) return 1 end" }
    healthInterpretation: { luaScript: "function InterpretHealth(obj) return true end" }
`;

const MACHINE = `apiVersion: acme.dev/v1
kind: Machine
metadata: { name: press, namespace: shop }
spec: { units: 3 }
status: { ready: 2 }
`;

const ITEMS = `clusterName: one
status: { ready: 2 }
---
- clusterName: two
  status: { ready: 5 }
`;

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { replicas: 4, template: { spec: { containers: [] } } }
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "interpret-"));
  const files = {
    "machine.yaml": CUSTOMIZATION,
    "broken.yaml": BROKEN,
    "press.yaml": MACHINE,
    "paused.yaml": MACHINE.replace("units: 3", "units: 9, paused: true"),
    "items.yaml": ITEMS,
    "deployment.yaml": DEPLOYMENT,
    "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: { name: other }\n",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, "apps"));
  writeFileSync(join(folder, "apps", "broken.yaml"), BROKEN);
});
afterAll(() => rmSync(folder, { recursive: true }));

function interpret(line: string, input?: string): Promise<Ran> {
  return runFlaghoist(["interpret", ...line.split(" ")], { cwd: folder, ...(input === undefined ? {} : { input }) });
}

const MACHINE_TEXT = (units: number, more = ""): string => `apiVersion: acme.dev/v1
kind: Machine
metadata:
  name: press
  namespace: shop
spec:
${more}  units: ${units}
status:
`;

describe("flaghoist interpret --operation", () => {
  it.each([
    [
      "retain --desired-file press.yaml --observed-file paused.yaml",
      `---\n# [1/1] retained:\n${MACHINE_TEXT(3, "  paused: true\n")}  ready: 2\n`,
    ],
    [
      "InterpretReplica --observed-file press.yaml",
      '---\n# [1/2] replica:\n3\n---\n# [2/2] requires:\nresourceRequest:\n  cpu: "1"\n',
    ],
    ["interpretComponent --desired-file press.yaml", "---\n# [1/1] components:\n- name: main\n  replicas: 3\n"],
    [
      "reviseReplica --observed-file press.yaml --desired-replica 7",
      `---\n# [1/1] revised:\n${MACHINE_TEXT(7)}  ready: 2\n`,
    ],
    ["interpretStatus --observed-file press.yaml", "---\n# [1/1] status:\nready: 2\n"],
    ["interpretHealth --observed-file press.yaml", "---\n# [1/1] healthy:\nfalse\n"],
    [
      "interpretDependency --observed-file press.yaml",
      "---\n# [1/1] dependencies:\n- apiVersion: v1\n  kind: ConfigMap\n  name: conf\n  namespace: shop\n",
    ],
    [
      "aggregateStatus --observed-file press.yaml --status-file items.yaml",
      `---\n# [1/1] aggregatedStatus:\n${MACHINE_TEXT(3)}  ready: 7\n`,
    ],
  ])("%s", async (line, out) => {
    expect(await interpret(`-f machine.yaml --operation ${line}`)).toEqual({
      code: EXIT.ok,
      out,
      err: "answered by ResourceInterpreterCustomization machine\n",
    });
  });

  it("reads standard input, and prints data on request", async () => {
    const { out, code } = await interpret(
      "-f - --operation interpretHealth --observed-file press.yaml -o json",
      CUSTOMIZATION,
    );

    expect(code).toBe(EXIT.ok);
    expect(JSON.parse(out)).toEqual({
      operation: "InterpretHealth",
      answeredBy: "ResourceInterpreterCustomization machine",
      results: { healthy: false },
    });
  });

  it("asks the built-in rules when no customization is given, and says so", async () => {
    expect(await interpret("--operation interpretReplica --observed-file deployment.yaml")).toEqual({
      code: EXIT.ok,
      out: "---\n# [1/2] replica:\n4\n---\n# [2/2] requires:\nnull\n",
      err: "answered by the built-in rules for the kinds of Kubernetes\n",
    });
  });

  it("does not hide that the customizations given say nothing", async () => {
    const { code, err } = await interpret(
      "-f machine.yaml --operation interpretReplica --observed-file deployment.yaml",
    );

    expect(code).toBe(EXIT.failed);
    expect(err).toContain("rule is not enabled: no customization given has it for apps/v1 Deployment");
  });

  it("tells the line in which a script fails", async () => {
    const { code, err } = await interpret(
      "-f machine.yaml --operation interpretHealth --observed-file -",
      MACHINE.replace(/status.*/, ""),
    );

    expect(code).toBe(EXIT.failed);
    expect(err).toMatch(/ResourceInterpreterCustomization machine, line 2: .*ready/);
  });

  it("refuses what is no customization, with its place", async () => {
    expect(await interpret("-f pod.yaml --operation interpretHealth --observed-file press.yaml")).toMatchObject({
      code: EXIT.failed,
      err: "flaghoist interpret: pod.yaml:1: not a ResourceInterpreterCustomization, got v1 Pod\n",
    });
  });

  it.each([
    ["-f machine.yaml", "say --check, or which --operation to run"],
    ["-f machine.yaml --operation prune", "operation prune is not supported. Use one of: Retain, InterpretReplica"],
    ["-f machine.yaml --operation retain --desired-file press.yaml", "Retain takes --desired-file and --observed-file"],
    ["-f machine.yaml --operation interpretHealth", "name the object with --desired-file or --observed-file"],
    [
      "-f machine.yaml --operation interpretHealth --desired-file press.yaml --observed-file press.yaml",
      "InterpretHealth takes one object",
    ],
    ["-f machine.yaml --operation reviseReplica --observed-file press.yaml", "ReviseReplica takes --desired-replica"],
    [
      "-f machine.yaml --operation reviseReplica --observed-file press.yaml --desired-replica x",
      '--desired-replica takes a number, not "x"',
    ],
    ["-f - --operation interpretHealth --observed-file -", "standard input can be named once"],
    ["--check", "name customizations, by -f FILE or from the control plane"],
    ["--check --operation retain -f machine.yaml", "take either --check or --operation"],
  ])("is a wrong command line: %s", async (line, words) => {
    const { code, err } = await interpret(line);

    expect(code).toBe(EXIT.usage);
    expect(err).toContain(words);
  });

  it.each([
    ["missing.yaml", "missing.yaml cannot be read"],
    ["items.yaml", "items.yaml holds 2 objects; --observed-file takes one"],
  ])("cannot use %s as an object", async (file, words) => {
    const { code, err } = await interpret(`-f machine.yaml --operation interpretHealth --observed-file ${file}`);

    expect(code).toBe(EXIT.failed);
    expect(err).toContain(words);
  });
});

describe("flaghoist interpret --check", () => {
  it("passes what can be used", async () => {
    expect(await interpret("-f machine.yaml --check")).toEqual({
      code: EXIT.ok,
      out: `-----------------------------------
SOURCE: machine
TARGET: acme.dev/v1 Machine
RULERS:
    Retain:                   PASS
    InterpretReplica:         PASS
    InterpretComponent:       PASS
    ReviseReplica:            PASS
    InterpretStatus:          PASS
    AggregateStatus:          PASS
    InterpretHealth:          PASS
    InterpretDependency:      PASS
`,
      err: "",
    });
  });

  it("tells of scripts that do not load, lack their function, or answer what another answers", async () => {
    const { code, out } = await interpret("-f machine.yaml -f broken.yaml -f pod.yaml --check");

    expect(code).toBe(EXIT.failed);
    const broken = out.slice(out.indexOf("SOURCE: broken"));
    expect(broken).toMatch(/ {4}Retain: +ERROR: .*line:2\(column:\d+\) near 'observed'/);
    expect(broken).toMatch(/ {4}InterpretReplica: +ERROR: defines no function GetReplicas/);
    expect(broken).toMatch(/ {4}InterpretHealth: +ERROR: acme.dev\/v1 Machine has it already, by machine\n/);
    expect(broken).toMatch(/ {4}InterpretStatus: +UNSET\n/);
    expect(broken).toContain("SOURCE: other\nnot a ResourceInterpreterCustomization, got v1 Pod\n");
  });

  it("tells of fields that the kind does not have", async () => {
    const { code, out } = await interpret("-f - --check", CUSTOMIZATION.replace("retention:", "retain:"));

    expect(code).toBe(EXIT.failed);
    expect(out).toContain("spec.customizations");
    expect(out).toContain("retain");
  });

  it("prints data on request", async () => {
    const { out } = await interpret("-f broken.yaml --check -o json");

    expect(JSON.parse(out)).toMatchObject({
      items: [
        {
          source: "broken",
          rules: [
            { operation: "Retain", result: "ERROR" },
            { result: "ERROR" },
            {},
            {},
            {},
            {},
            { result: "PASS" },
            {},
          ],
        },
      ],
    });
  });
});

describe("flaghoist render --check", () => {
  it("finds scripts that do not load", async () => {
    const { code, err } = await runFlaghoist(["render", "apps", "--check"], { cwd: folder });

    expect(code).toBe(EXIT.failed);
    expect(err).toMatch(/broken\.yaml:1: spec\.customizations\.retention\.luaScript: .*line:2/);
  });
});
