// Runs a server on a file system of 2 MB (its first argument), fills it, makes room, and prints what a client sees.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { FakeClock } from "../../../../runtime/clock.ts";
import { silentLogger } from "../../../../runtime/logger.ts";
import { createApiServer } from "../../server.ts";

const folder = process.argv[2]!;
const clock = new FakeClock();
const server = await createApiServer({
  name: "full",
  clock,
  logger: silentLogger,
  database: join(folder, "store.db"),
  onFatal: (error) => {
    throw error;
  },
});
const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

async function call(method: string, path: string, object?: unknown) {
  const answer = await server.handle({ method, path, ...(object === undefined ? {} : { object }) });
  const text = answer.body instanceof Uint8Array ? Buffer.from(answer.body).toString() : "";
  return { status: answer.status, text, headers: answer.headers };
}

function create(name: string, size: number) {
  const data = { value: "x".repeat(size) };
  return call("POST", CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
}

const watch = await server.handle({ method: "GET", path: `${CONFIG_MAPS}?watch=1` });
const events = watch.events![Symbol.asyncIterator]();
async function eventsUntil(name: string): Promise<boolean> {
  for (;;) {
    const next = await events.next();
    if (next.done === true) return false;
    if ((next.value.object["metadata"] as { name: string }).name === name) return true;
  }
}

let refused = await create("n0", 100_000);
for (let i = 1; refused.status === 201 && i < 100; i++) refused = await create(`n${i}`, 100_000);
const [list, other] = await Promise.all([call("GET", CONFIG_MAPS), create("too-large", 100_000)]);
const full = await call("GET", "/readyz");
const alive = await call("GET", "/livez");
await clock.advance(600_000);
execFileSync("mount", ["-o", "remount,size=20m", folder]);
await clock.advance(6_000);
const ready = await call("GET", "/readyz");
const created = await create("after", 100_000);
const seen = await eventsUntil("after");
await server.close();
console.log(
  JSON.stringify({
    refused: { status: refused.status, retryAfter: refused.headers["retry-after"], message: JSON.parse(refused.text).message },
    list: list.status,
    other: other.status,
    full,
    alive: alive.status,
    ready: ready.status,
    created: created.status,
    seen,
  }),
);
