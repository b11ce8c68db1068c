import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_FEATURE_GATES } from "../../api/feature-gates.ts";
import { DEFAULT_SCHEDULING } from "../controllers/context.ts";
import { type Invocation, UsageError } from "./command.ts";
import { readSchedulingSettings } from "./scheduling-settings.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "scheduling-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function read(values: Invocation["values"]) {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: folder };
  return readSchedulingSettings({
    values,
    positionals: [],
    io,
    signal: new AbortController().signal,
    runCommand: async () => 0,
  });
}

const HEAD = "apiVersion: config.flaghoist.io/v1alpha1\nkind: SchedulerConfiguration\n";

function readFile(text: string, values: Invocation["values"] = {}) {
  writeFileSync(join(folder, "scheduler.yaml"), HEAD + text);
  return read({ "scheduler-config": "scheduler.yaml", ...values });
}

describe("readSchedulingSettings", () => {
  it("is Karmada's defaults without any option", () => {
    expect(read({})).toEqual({ featureGates: DEFAULT_FEATURE_GATES, scheduling: DEFAULT_SCHEDULING });
  });

  it("reads Karmada's flags by their names", () => {
    const { featureGates, scheduling } = read({
      "feature-gates": ["WorkloadAffinity=true,PriorityBasedScheduling=false", "WorkloadAffinity=false"],
      "scheduler-name": "night-shift",
      "enable-empty-workload-propagation": true,
      plugins: ["*,-ClusterLocality", "-TaintToleration"],
    });

    expect(featureGates).toEqual({ ...DEFAULT_FEATURE_GATES, PriorityBasedScheduling: false });
    expect(scheduling).toEqual({
      schedulerName: "night-shift",
      emptyWorkloadPropagation: true,
      disabledPlugins: ["TaintToleration", "ClusterLocality"],
      pluginModules: [],
    });
  });

  it.each<[values: Invocation["values"], words: RegExp]>([
    [
      { "feature-gates": ["WorkloadAffinty=true"] },
      /--feature-gates: there is no gate "WorkloadAffinty"; there are Cust/,
    ],
    [{ "feature-gates": ["WorkloadAffinity"] }, /"WorkloadAffinity" is not of the form Gate=true/],
    [{ "scheduler-name": "" }, /--scheduler-name takes a name/],
    [{ plugins: ["*,-Taints"] }, /--plugins: there is no scheduling plugin "-Taints". There are APIEnablement, /],
  ])("refuses %j as a wrong command line", (values, words) => {
    expect(() => read(values)).toThrow(UsageError);
    expect(() => read(values)).toThrow(words);
  });

  it("reads the same settings and further plugins from a file", () => {
    const { featureGates, scheduling } = readFile(`
schedulerName: from-file
enableEmptyWorkloadPropagation: true
featureGates: { WorkloadAffinity: true }
plugins:
  enabled: ["*", -ClusterEviction, -Unused]
  modules:
    - { name: GpuFirst, path: plugins/gpu.js, timeout: 200ms, args: { key: value } }
    - { name: Unused, path: other.js }
`);

    expect(featureGates.WorkloadAffinity).toBe(true);
    expect(scheduling).toEqual({
      schedulerName: "from-file",
      emptyWorkloadPropagation: true,
      disabledPlugins: ["ClusterEviction"],
      pluginModules: [
        { name: "GpuFirst", path: join(folder, "plugins/gpu.js"), timeoutMs: 200, args: { key: "value" }, weight: 1 },
      ],
    });
  });

  it("lets options win over the file, gate by gate", () => {
    const { featureGates, scheduling } = readFile(
      "schedulerName: from-file\nfeatureGates: { WorkloadAffinity: true, PropagateDeps: false }\nplugins: { enabled: [APIEnablement], modules: [{ name: Mine, path: m.js }] }\n",
      { "scheduler-name": "from-option", "feature-gates": ["PropagateDeps=true"], plugins: ["*,-Mine"] },
    );

    expect(scheduling).toEqual({ ...DEFAULT_SCHEDULING, schedulerName: "from-option" });
    expect(featureGates).toEqual({ ...DEFAULT_FEATURE_GATES, WorkloadAffinity: true });
  });

  it.each<[text: string, words: string]>([
    ["schedulerNam: x\n", "scheduler.yaml:3: schedulerNam there is no such field. Did you mean schedulerName?"],
    [
      "plugins:\n  enabled: ['*']\n  modules:\n    - name: Mine\n",
      "scheduler.yaml:6: plugins.modules[0].path is required",
    ],
    [
      "featureGates:\n  WorkloadAffinity: 1\n",
      "scheduler.yaml:4: featureGates.WorkloadAffinity must be true or false, not 1",
    ],
    [
      "featureGates:\n  PropagateDeps: true\n  Sideways: true\n",
      "scheduler.yaml:5: featureGates.Sideways there is no such field",
    ],
    [
      "plugins:\n  enabled:\n    - '*'\n    - -Nothing\n",
      'scheduler.yaml:6: plugins.enabled[1] there is no scheduling plugin "-Nothing". There are APIEnablement',
    ],
    [
      "plugins:\n  modules:\n    - { name: Mine, path: m.js, timeout: soon }\n",
      'scheduler.yaml:5: plugins.modules[0].timeout "soon" is not a duration such as 100ms or 2s',
    ],
    [
      "plugins:\n  modules:\n    - { name: Mine, path: m.js, timeout: 0s }\n",
      'scheduler.yaml:5: plugins.modules[0].timeout "0s" is not a duration',
    ],
    [
      "plugins:\n  modules:\n    - { name: TaintToleration, path: m.js }\n",
      'scheduler.yaml:5: plugins.modules[0].name "TaintToleration" is taken by another plugin',
    ],
    ["plugins: [\n", "scheduler.yaml:"],
  ])("says file, line and field of what is wrong: %j", (text, words) => {
    expect(() => readFile(text)).toThrow(words);
  });

  it("tells all that is wrong at once", () => {
    expect(() => readFile("schedulerName: 3\nplugins: { enabled: all }\n")).toThrow(
      "scheduler.yaml:3: schedulerName must be text, not 3; put it in quotes\nscheduler.yaml:4: plugins.enabled must be a list",
    );
  });

  it("refuses other kinds of files, and files that are not there", () => {
    writeFileSync(join(folder, "other.yaml"), "apiVersion: v1\nkind: ConfigMap\n");

    expect(() => read({ "scheduler-config": "other.yaml" })).toThrow(/other.yaml:1: apiVersion "v1" is not one of/);
    expect(() => read({ "scheduler-config": "none.yaml" })).toThrow(/cannot read --scheduler-config none.yaml/);
  });
});
