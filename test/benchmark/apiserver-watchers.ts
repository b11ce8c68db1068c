// Ten thousand watches that wait: what each takes, and what one change costs that all of them see.
import { mkdtempSync, rmSync } from "node:fs";
import type { ClientHttp2Stream } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sleep, systemClock } from "../../runtime/clock.ts";
import { LoadClient } from "./support-apiserver-client.ts";
import { CONFIG_MAPS, configMap, Load } from "./support-apiserver-rows.ts";
import { OurServer } from "./support-apiserver-sides.ts";
import { cpuMicros, memoryOf, pinning, pinSelf } from "./support-processes.ts";

const IDLE_MS = 20_000;
const OPEN_AT_ONCE = 50;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { watches: { type: "string", default: "10000" }, connections: { type: "string", default: "20" } },
  });
  const watches = Number(values.watches);
  const connections = Number(values.connections);
  if (!(watches >= 1) || !(connections >= 1)) {
    process.stderr.write("usage: npm run bench -- apiserver-watchers [--watches N] [--connections N]\n");
    process.exitCode = 2;
    return;
  }
  pinSelf();
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-bench-"));
  const side = await OurServer.create(folder);
  try {
    await side.start();
    const load = new Load(side, "1.1");
    await load.createNamespace();
    await load.create(1);
    const before = memoryOf(side.pids()).resident;
    print(`${watches} watches on one collection, ${connections} HTTP/2 connections`, pinning());

    const client = new LoadClient(side, { version: "2", connections });
    let received = 0;
    const streams: ClientHttp2Stream[] = [];
    const start = performance.now();
    for (let opened = 0; opened < watches; opened += OPEN_AT_ONCE) {
      const some = Array.from({ length: Math.min(OPEN_AT_ONCE, watches - opened) }, () =>
        client.stream(`${CONFIG_MAPS}?watch=true&allowWatchBookmarks=true&resourceVersion=1000000`, () => {
          received += 1;
        }),
      );
      streams.push(...(await Promise.all(some)));
    }
    print("opened in", `${((performance.now() - start) / 1000).toFixed(1)} s`);
    await sleep(systemClock, 2000);
    const resident = memoryOf(side.pids()).resident;
    print("memory", `${mb(resident)}, ${((resident - before) / watches / 1024).toFixed(1)} KiB a watch`);
    await side.delay();
    const cpuBefore = cpuMicros(side.pids());
    await sleep(systemClock, IDLE_MS);
    const share = (cpuMicros(side.pids()) - cpuBefore) / 1000 / IDLE_MS;
    print(`processor while nothing changes, ${IDLE_MS / 1000} s`, `${(share * 100).toFixed(1)} %`);
    await printDelay(side);
    await client.close();

    const watching = new LoadClient(side, { version: "2", connections });
    const { text } = await watching.send("GET", CONFIG_MAPS, undefined, undefined, true);
    const revision = /"resourceVersion":"([0-9]+)"/.exec(text)?.[1] ?? "";
    received = 0;
    for (let opened = 0; opened < watches; opened += OPEN_AT_ONCE) {
      const some = Array.from({ length: Math.min(OPEN_AT_ONCE, watches - opened) }, () =>
        watching.stream(`${CONFIG_MAPS}?watch=true&resourceVersion=${revision}`, () => {
          received += 1;
        }),
      );
      await Promise.all(some);
    }
    await side.delay();
    const changed = performance.now();
    const used = cpuMicros(side.pids());
    const body = JSON.stringify(configMap(0, 1));
    await watching.send("PUT", `${CONFIG_MAPS}/config-000000`, body);
    while (received < watches && performance.now() - changed < 60_000) await sleep(systemClock, 5);
    const perWatch = (cpuMicros(side.pids()) - used) / watches;
    print(
      "one change reaches all of them in",
      `${(performance.now() - changed).toFixed(0)} ms (${received} of ${watches})`,
    );
    print("processor for it, a watch", `${perWatch.toFixed(1)} us`);
    await printDelay(side);
    await watching.close();
    await load.close();
  } finally {
    await side.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function printDelay(side: OurServer): Promise<void> {
  const delay = await side.delay();
  if (delay === undefined) return;
  print("  turns of the event loop", `p99 ${delay.cpuP99Ms.toFixed(0)}, max ${delay.cpuMaxMs.toFixed(0)} ms CPU`);
}

function print(title: string, value: string): void {
  process.stdout.write(`${title.padEnd(64)} ${value}\n`);
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
