// A hundred API servers in one process, as the control plane holds them for simulated members.
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { configMap } from "./support-apiserver-rows.ts";
import { LoopDelay } from "./support-loop-delay.ts";

export async function run(args: readonly string[]): Promise<void> {
  const count = Number(args[0] ?? 100);
  const objects = Number(args[1] ?? 100);
  if (!(count >= 1) || !(objects >= 0)) {
    process.stderr.write("usage: npm run bench -- apiserver-stores [STORES] [OBJECTS_EACH]\n");
    process.exitCode = 2;
    return;
  }
  const delay = new LoopDelay();
  delay.start();
  const before = await memory();
  const start = performance.now();
  const cpuBefore = process.cpuUsage();
  const servers: ApiServer[] = [];
  // One by one: the others of the process get their turn in between.
  for (let n = 0; n < count; n++) {
    servers.push(
      await createApiServer({ name: `store-${n}`, clock: systemClock, logger: silentLogger, authorization: "rbac" }),
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
  const startMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  const empty = await memory();
  print(
    `${count} stores started`,
    `${startMs.toFixed(0)} ms, ${((user + system) / 1000 / count).toFixed(1)} ms CPU each`,
  );
  print("memory of the process before", mb(before.resident));
  print(
    `memory with ${count} empty stores`,
    `${mb(empty.resident)}, ${kb((empty.resident - before.resident) / count)} each`,
  );
  print("of that on the heap", `${mb(empty.heap - before.heap)}, ${kb((empty.heap - before.heap) / count)} each`);
  await printDelay(delay);

  for (const server of servers) {
    for (let n = 0; n < objects; n++) {
      const path = "/api/v1/namespaces/default/configmaps";
      await server.handle({ method: "POST", path, object: configMap(n, 0, "default") });
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const full = await memory();
  const held = full.resident - empty.resident;
  print(
    `memory with ${objects} objects in each`,
    `${mb(full.resident)}, ${kb(held / count / Math.max(1, objects))} an object`,
  );
  await printDelay(delay);
  for (const server of servers) await server.close();
}

/** Memory without garbage, where it can be collected on demand (--expose-gc); else after a pause. */
async function memory(): Promise<{ readonly resident: number; readonly heap: number }> {
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  await new Promise((resolve) => setTimeout(resolve, 500));
  collect?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed + external };
}

async function printDelay(delay: LoopDelay): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { cpuP99Ms, cpuMaxMs } = delay.take();
  print("  longest turns of the event loop", `p99 ${cpuP99Ms.toFixed(0)}, max ${cpuMaxMs.toFixed(0)} ms CPU`);
}

function print(title: string, value: string): void {
  process.stdout.write(`${title.padEnd(44)} ${value}\n`);
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function kb(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
