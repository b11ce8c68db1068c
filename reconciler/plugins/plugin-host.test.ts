import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FakeClock, systemClock } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import { silentLogger } from "../../runtime/logger.ts";
import type { PluginCluster } from "../scheduler/plugin.ts";
import { PluginHost } from "./plugin-host.ts";

let folder: string;
const hosts: PluginHost[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "plugins-"));
});

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

const HEAD = 'export const apiVersion = "scheduler.flaghoist.io/v1alpha1";\n';

function host(source: string, options: { timeoutMs?: number; clock?: FakeClock } = {}): PluginHost {
  const path = join(folder, `plugin-${hosts.length}-${source.length}.mjs`);
  writeFileSync(path, source);
  const { timeoutMs = 5_000, clock = systemClock } = options;
  const made = new PluginHost({ name: "mine", path, timeoutMs, clock, logger: silentLogger });
  hosts.push(made);
  return made;
}

function clusters(...names: string[]): PluginCluster[] {
  return names.map((name) => ({
    name,
    labels: { stage: "prod" },
    annotations: {},
    region: "eu",
    provider: "",
    zones: [],
    taints: [],
    conditions: [],
    kubernetesVersion: "",
    allocatable: { cpu: "4" },
    allocated: {},
  }));
}

const REQUEST = { resource: { apiVersion: "apps/v1", kind: "Deployment" }, placement: {}, args: { most: 2 } };

async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => "it succeeded",
    (reason: unknown) => reason,
  );
  return error instanceof AppError ? `${error.code}: ${error.message.replace(folder, "FOLDER")}` : String(error);
}

describe("PluginHost.start", () => {
  it.each([
    ["export function filter() {}", "exports no apiVersion; this program takes scheduler.flaghoist.io/v1alpha1"],
    [
      'export const apiVersion = "v9"; export function filter() {}',
      "is for apiVersion v9; this program takes scheduler.flaghoist.io/v1alpha1",
    ],
    [HEAD, "exports neither filter nor score"],
    [`${HEAD}export const score = 3;`, "exports score as number, not as a function"],
    [`${HEAD}throw new Error("no licence");`, "cannot be loaded: Error: no licence"],
    [`${HEAD}export function {`, "cannot be loaded: SyntaxError: Unexpected token '{'"],
    [`${HEAD}process.exit(3);`, "ended while it was loaded"],
  ])("refuses a module that is no plugin: %s", async (source, reason) => {
    const message = await failureOf(host(source).start());

    expect(message).toMatch(/^scheduling-plugin-unusable: scheduling plugin mine \(FOLDER\/plugin-\d+-\d+.mjs\) /);
    expect(message).toContain(reason);
  });

  it("refuses a file that is not there", async () => {
    const made = host(HEAD);
    rmSync(join(folder, `plugin-0-${HEAD.length}.mjs`));

    expect(await failureOf(made.start())).toContain("does not exist");
  });
});

describe("PluginHost.ask", () => {
  it("answers for each cluster what filter and score say, also later", async () => {
    const plugin = host(`${HEAD}
      export function filter(cluster, request) {
        return cluster.name === "a" ? undefined : cluster.name === "b" ? false : cluster.name === "c" ? "  too\\n far " : true;
      }
      export async function score(cluster, { args, resource }) { return args.most * 10 + resource.kind.length; }
    `);
    await plugin.start();

    expect(await plugin.ask(REQUEST, clusters("a", "b", "c", "d"))).toEqual([
      { score: 30 },
      { refusal: "does not fit" },
      { refusal: "too far" },
      { score: 30 },
    ]);
  });

  it("answers as the example does", async () => {
    const path = join(import.meta.dirname, "../../examples/plugins/carbon.js");
    const example = new PluginHost({
      name: "carbon",
      path,
      timeoutMs: 5_000,
      clock: systemClock,
      logger: silentLogger,
    });
    hosts.push(example);
    await example.start();
    const args = { intensity: { eu: 90, far: 480 }, most: 450 };
    const [eu] = clusters("a") as [PluginCluster];

    expect(
      await example.ask({ ...REQUEST, args }, [eu, { ...eu, region: "far" }, { ...eu, region: "elsewhere" }]),
    ).toEqual([{ score: 80 }, { refusal: "480 g/kWh in far, at most 450 are allowed" }, { score: 0 }]);
  });

  it("sees neither the environment nor the arguments of the program", async () => {
    const plugin = host(`${HEAD}
      export function filter() { return JSON.stringify([Object.keys(process.env), process.argv.slice(2)]); }
    `);

    expect(await plugin.ask(REQUEST, clusters("a"))).toEqual([{ refusal: "[[],[]]" }]);
  });

  it.each([
    ["filter", 'throw new TypeError("no\\n map")', "filter threw TypeError: no map"],
    ["filter", "return 3", "filter answered 3, not true, false or a text"],
    ["score", "return NaN", "score answered NaN, not a number from 0 to 100"],
    ["score", "return 100.5", "score answered 100.5, not a number from 0 to 100"],
    ["score", "return '50'", 'score answered "50", not a number from 0 to 100'],
    ["score", "return undefined", "score answered undefined, not a number from 0 to 100"],
  ])("names plugin and cluster where %s does: %s", async (name, body, problem) => {
    const plugin = host(
      `${HEAD}export function ${name}(cluster) { if (cluster.name === "b") { ${body} } return ${name === "score" ? 1 : true}; }`,
    );

    expect(await failureOf(plugin.ask(REQUEST, clusters("a", "b", "c")))).toBe(
      `scheduling-plugin-failed: plugin mine failed for cluster b: ${problem}`,
    );
  });

  it("ends a call that takes too long, says which, and starts the plugin as new", async () => {
    const clock = new FakeClock();
    const plugin = host(
      `${HEAD}
      import { writeFileSync } from "node:fs";
      let calls = 0;
      export function filter({ name }, { args }) {
        calls++;
        if (args.mark !== undefined && name === "b") {
          writeFileSync(args.mark, "");
          for (;;);
        }
        return String(calls);
      }`,
      { timeoutMs: 1_000, clock },
    );
    await plugin.start();
    await plugin.ask(REQUEST, clusters("x", "y"));
    const mark = join(folder, "hangs");

    const failed = failureOf(plugin.ask({ ...REQUEST, args: { mark } }, clusters("a", "b", "c")));
    let isOver = false;
    void failed.then(() => {
      isOver = true;
    });
    while (!existsSync(mark)) await new Promise((resolve) => setImmediate(resolve));
    while (!isOver) await clock.advance(100);

    expect(await failed).toBe(
      "scheduling-plugin-failed: plugin mine failed for cluster b: filter did not answer within 1000 ms",
    );
    // For a moment the same is told to all who ask.
    expect(await failureOf(plugin.ask(REQUEST, clusters("a")))).toContain("did not answer within 1000 ms");
    await clock.advance(1_000);
    expect(await plugin.ask(REQUEST, clusters("a"))).toEqual([{ refusal: "1" }]);
  });

  it("lets many calls together take longer than one may", async () => {
    const clock = new FakeClock();
    const plugin = host(
      `${HEAD}
      import { existsSync, writeFileSync } from "node:fs";
      export async function filter({ name }, { args }) {
        writeFileSync(args.folder + "/began-" + name, "");
        while (!existsSync(args.folder + "/go-" + name)) await new Promise((resolve) => setImmediate(resolve));
      }`,
      { timeoutMs: 1_000, clock },
    );
    await plugin.start();

    const asked = plugin.ask({ ...REQUEST, args: { folder } }, clusters("a", "b", "c", "d"));
    for (const name of ["a", "b", "c", "d"]) {
      while (!existsSync(join(folder, `began-${name}`))) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(600);
      writeFileSync(join(folder, `go-${name}`), "");
    }

    expect(await asked).toEqual([{}, {}, {}, {}]);
  });

  it("survives a plugin that ends its thread", async () => {
    const clock = new FakeClock();
    const plugin = host(`${HEAD}export function filter(c) { if (c.name === "b") process.exit(1); }`, { clock });
    await plugin.start();

    expect(await failureOf(plugin.ask(REQUEST, clusters("b")))).toContain("plugin mine failed: its thread ended");
    await clock.advance(1_000);
    expect(await plugin.ask(REQUEST, clusters("a"))).toEqual([{}]);
  });
});
