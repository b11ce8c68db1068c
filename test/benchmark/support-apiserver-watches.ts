// Many watches on one collection while it changes at a steady pace.
import { sleep, systemClock } from "../../runtime/clock.ts";
import { LoadClient } from "./support-apiserver-client.ts";
import { configMap } from "./support-apiserver-rows.ts";
import type { Side } from "./support-apiserver-sides.ts";
import { cpuMicros } from "./support-processes.ts";
import { WatchConnection } from "./support-watch-connection.ts";

const CONNECTIONS = 20;
const DRAIN_LIMIT_MS = 60_000;
const OPEN_AT_ONCE = 50;

export interface WatchOptions {
  readonly watches: number;
  /** Over how many namespaces the watches and the changes are spread: 1 sends every change to every watch. */
  readonly namespaces: number;
  readonly changesPerSecond: number;
  readonly seconds: number;
}

export interface WatchResult {
  /** From the sending of a change until a watch has its event, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly delivered: number;
  readonly expected: number;
  /** Of the server, for each event that it sent. */
  readonly cpuMicrosPerEvent: number;
  readonly cpuShare: number;
}

/** Opens the watches, makes the changes, and waits until every watch has every change. */
export async function measureWatches(side: Side, options: WatchOptions): Promise<WatchResult> {
  const { watches, namespaces, changesPerSecond, seconds } = options;
  const connections: WatchConnection[] = [];
  const writer = new LoadClient(side, { version: "1.1", connections: 4 });
  const latencies: number[] = [];
  let delivered = 0;
  const count = changesPerSecond * seconds;
  const expected = (count * watches) / namespaces;
  const sentAt = new Float64Array(count);
  const collectionOf = (n: number): string => `/api/v1/namespaces/watched-${namespaces}-${n % namespaces}/configmaps`;
  const bodyOf = (n: number): string => {
    const object = configMap(0, n);
    const data = { ...(object["data"] as object), n: String(n) };
    return JSON.stringify({ ...object, metadata: { name: "watched" }, data });
  };
  try {
    let resourceVersion = "";
    for (let n = 0; n < namespaces; n++) {
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: `watched-${namespaces}-${n}` } };
      await writer.send("POST", "/api/v1/namespaces", JSON.stringify(namespace));
      const created = await writer.send("POST", collectionOf(n), bodyOf(0), "application/json", true);
      if (created.status !== 201) throw new Error(`the watched object was answered with ${created.status}`);
      ({ resourceVersion } = (JSON.parse(created.text) as { metadata: { resourceVersion: string } }).metadata);
    }
    for (let n = 0; n < CONNECTIONS; n++) connections.push(await WatchConnection.open(side));
    for (let i = 0; i < watches; i += OPEN_AT_ONCE) {
      const some = Array.from({ length: Math.min(OPEN_AT_ONCE, watches - i) }, (_, at) => {
        const collection = (i + at) % namespaces;
        let seen = 0;
        // Events come in the order of the changes, so counting says which one it is.
        const onEvent = (): void => {
          const n = collection === 0 ? (seen + 1) * namespaces : seen * namespaces + collection;
          seen += 1;
          delivered += 1;
          latencies.push(performance.now() - (sentAt[n - 1] ?? 0));
        };
        const path = `${collectionOf(collection)}?watch=true&resourceVersion=${resourceVersion}`;
        return connections[(i + at) % CONNECTIONS]!.watch(path, onEvent);
      });
      await Promise.all(some);
    }
    const cpuBefore = cpuMicros(side.pids());
    const start = performance.now();
    const pending: Promise<unknown>[] = [];
    for (let n = 1; n <= count; n++) {
      const due = start + ((n - 1) * 1000) / changesPerSecond;
      const wait = due - performance.now();
      if (wait > 1) await sleep(systemClock, wait);
      sentAt[n - 1] = performance.now();
      pending.push(writer.send("PUT", `${collectionOf(n)}/watched`, bodyOf(n)));
    }
    await Promise.all(pending);
    const limit = performance.now() + DRAIN_LIMIT_MS;
    while (delivered < expected && performance.now() < limit) await sleep(systemClock, 50);
    const elapsedMs = performance.now() - start;
    const cpu = cpuMicros(side.pids()) - cpuBefore;
    const sorted = Float64Array.from(latencies).sort();
    return {
      p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
      delivered,
      expected,
      cpuMicrosPerEvent: cpu / Math.max(1, delivered),
      cpuShare: cpu / 1000 / elapsedMs,
    };
  } finally {
    for (const connection of connections) connection.close();
    await writer.close();
  }
}
