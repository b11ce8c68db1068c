// npm run bench -- interpreter [MILLISECONDS]: native rules and Lua rules per CPU second beside Karmada's recorded figures,
// and what becomes of hostile scripts.
import type { ResourceInterpreterCustomization } from "../../api/config.ts";
import { cloneJson, type KubeObject } from "../../kube/object.ts";
import { compileCustomization } from "../../reconciler/interpreter/customization/compile-customization.ts";
import { CustomizationIndex } from "../../reconciler/interpreter/customization/customization-index.ts";
import { customizationLevel } from "../../reconciler/interpreter/customization/customization-level.ts";
import { QUICK_LIMITS } from "../../reconciler/interpreter/customization/script-limits.ts";
import { CompiledScripts, inPlaceRunner } from "../../reconciler/interpreter/customization/script-runner.ts";
import { createInterpreter } from "../../reconciler/interpreter/levels.ts";
import { compileLua, DEFAULT_LUA_LIMITS } from "../../reconciler/interpreter/lua/script.ts";
import { nativeLevel } from "../../reconciler/interpreter/native.ts";
import { messageOf } from "../../runtime/errors.ts";
import input from "./overrides.input.json" with { type: "json" };

/** Operations per CPU second of Karmada 1.18. */
const KARMADA = { getReplicas: 16_000, getDependencies: 14_100, reviseReplica: 56_000, luaGetReplicas: 2_130 };

const LUA = {
  replicaResource: `local kube = require("kube")
function GetReplicas(obj)
  local replica = obj.spec.replicas
  local requirement = kube.accuratePodRequirements(obj.spec.template)
  return replica, requirement
end`,
  replicaRevision: `function ReviseReplica(obj, desired)
  obj.spec.replicas = desired
  return obj
end`,
  retention: `function Retain(desired, observed)
  desired.spec.paused = observed.spec.paused
  return desired
end`,
  healthInterpretation: `function InterpretHealth(obj)
  return obj.status ~= nil and obj.status.readyReplicas == obj.spec.replicas
end`,
  dependencyInterpretation: `local kube = require("kube")
function GetDependencies(obj)
  return kube.getPodDependencies(obj.spec.template, obj.metadata.namespace)
end`,
  statusReflection: `function ReflectStatus(obj)
  return {ready = obj.status.readyReplicas, total = obj.status.replicas}
end`,
  statusAggregation: `function AggregateStatus(obj, items)
  local status = {replicas = 0, readyReplicas = 0, conditions = {}}
  for i = 1, #items do
    local reported = items[i].status
    if reported ~= nil then
      status.replicas = status.replicas + (reported.replicas or 0)
      status.readyReplicas = status.readyReplicas + (reported.readyReplicas or 0)
    end
  end
  obj.status = status
  return obj
end`,
};

const HOSTILE: readonly (readonly [what: string, body: string])[] = [
  ["while true do end", "while true do end"],
  ["a 1 GB string", "local s = 'x' while true do s = s .. s end"],
  [
    "a string that grows",
    "local s = '' while true do s = s .. 'a line of sixty-four bytes, which many a script adds in a loop..' end",
  ],
  ["deep recursion", "local function f(n) return 1 + f(n + 1) end return f(1)"],
  ["a growing table", "local t = {} while true do t[#t + 1] = {n = #t} end"],
  ["a pattern that tries all", "return string.find(string.format('%0200d', 0), '0-0-0-0-0-0-0-0-0-0-1')"],
  ["wide formats", "while true do local s = string.format('%1000000d', 1) end"],
  [
    "a comparison that lies",
    "local t = {} for i = 1, 5000 do t[i] = i end while true do table.sort(t, function() return true end) end",
  ],
  ["a loop inside pcall", "while true do pcall(function() while true do end end) end"],
];

export async function run(args: readonly string[]): Promise<void> {
  const ms = Number(args[0] ?? 1000);
  const object = { ...input.object, status: { replicas: 10, readyReplicas: 10, updatedReplicas: 10 } } as KubeObject;
  const native = createInterpreter({ native: nativeLevel() });
  const lua = createInterpreter({ customization: customizations(), native: nativeLevel() });
  const items = Array.from({ length: 10 }, (_, at) => ({
    clusterName: `member${at}`,
    status: { replicas: 1, readyReplicas: 1 },
    applied: true,
    health: "Healthy" as const,
  }));

  process.stdout.write("per CPU second; in parentheses the factor over Karmada's recorded figure\n");
  measure("native GetReplicas", KARMADA.getReplicas, ms, () => native.getReplicas(object));
  measure("native GetDependencies", KARMADA.getDependencies, ms, () => native.getDependencies(object));
  let replicas = 0;
  measure("native ReviseReplica", KARMADA.reviseReplica, ms, () => native.reviseReplica(object, ++replicas));
  measure("Lua GetReplicas", KARMADA.luaGetReplicas, ms, () => lua.getReplicas(object));
  measure("Lua GetReplicas, another object each time", KARMADA.luaGetReplicas, ms, () =>
    lua.getReplicas(cloneJson(object)),
  );
  measure("Lua ReviseReplica", undefined, ms, () => lua.reviseReplica(object, ++replicas));
  measure("Lua Retain", undefined, ms, () => lua.retain(object, object));
  measure("Lua GetDependencies", undefined, ms, () => lua.getDependencies(object));
  measure("Lua ReflectStatus", undefined, ms, () => lua.reflectStatus(object));
  measure("Lua InterpretHealth", undefined, ms, () => lua.interpretHealth(object));
  measure("Lua AggregateStatus of 10", undefined, ms, () => lua.aggregateStatus(object, items, "2026-01-01T00:00:00Z"));
  hostile();
}

function customizations() {
  const one = Object.fromEntries(Object.entries(LUA).map(([operation, luaScript]) => [operation, { luaScript }]));
  const customization: ResourceInterpreterCustomization = {
    apiVersion: "config.karmada.io/v1alpha1",
    kind: "ResourceInterpreterCustomization",
    metadata: { name: "deployments" },
    spec: { target: { apiVersion: "apps/v1", kind: "Deployment" }, customizations: one },
  };
  const runner = inPlaceRunner(new CompiledScripts(compileCustomization), QUICK_LIMITS, () => 0);
  return customizationLevel({ scripts: new CustomizationIndex([customization]), runner, compatibility: "karmada" });
}

function measure(what: string, recorded: number | undefined, ms: number, operation: () => unknown): void {
  for (let i = 0; i < 5000; i++) operation();
  const started = process.cpuUsage();
  const begin = performance.now();
  let operations = 0;
  while (performance.now() - begin < ms) {
    for (let i = 0; i < 200; i++) operation();
    operations += 200;
  }
  const { user, system } = process.cpuUsage(started);
  const perSecond = operations / ((user + system) / 1e6);
  const factor = recorded === undefined ? "" : `(${(perSecond / recorded).toFixed(1)}x)`;
  const micros = `${(1e6 / perSecond).toFixed(1)} us`;
  process.stdout.write(
    `${what.padEnd(44)}${Math.round(perSecond).toLocaleString("en").padStart(12)} ${factor.padStart(8)}${micros.padStart(12)}\n`,
  );
}

function hostile(): void {
  const limits = [
    ["on the event loop", QUICK_LIMITS],
    ["by default", DEFAULT_LUA_LIMITS],
  ] as const;
  process.stdout.write(`\nhostile scripts: milliseconds until stopped, ${limits.map(([name]) => name).join(" / ")}\n`);
  const honest = compileLua("function F() return 1 end", "<string>");
  for (const [what, body] of HOSTILE) {
    const script = compileLua(`function F() ${body} end`, "<string>");
    let problem = "";
    const times = limits.map(([, limit]) => {
      const begin = performance.now();
      try {
        script.call("F", [], limit);
        problem = "NOT STOPPED";
      } catch (error) {
        problem = messageOf(error);
      }
      return (performance.now() - begin).toFixed(1);
    });
    // The next call feels nothing of it.
    honest.call("F", [], QUICK_LIMITS);
    process.stdout.write(`${what.padEnd(28)}${times.join(" / ").padStart(16)}  ${problem}\n`);
  }
}
