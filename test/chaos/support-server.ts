// A durable API server to be killed. Arguments: FOLDER PORT. Prints a line when it listens.
// Its clock runs fast, so that compaction and bookmarks happen within the short lives that it has.
import { join } from "node:path";
import { listen } from "../../fleets/apiserver/http/listener.ts";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import type { Clock } from "../../runtime/clock.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";

const TIMES_FASTER = 6000;
const [folder = "", port = "0"] = process.argv.slice(2);
const startMs = systemClock.now();
const hurried: Clock = {
  now: () => startMs + (systemClock.now() - startMs) * TIMES_FASTER,
  after: (ms, fn) => systemClock.after(ms / TIMES_FASTER, fn),
};
const server = await createApiServer({
  name: "chaos",
  database: join(folder, "store.db"),
  clock: hurried,
  logger: silentLogger,
  authorization: "rbac",
  historyEvents: 200,
});
await listen(server, {
  host: "127.0.0.1",
  port: Number(port),
  directory: join(folder, "pki"),
  clock: systemClock,
  logger: silentLogger,
});
process.stdout.write("listening\n");
// Ends with its parent, which holds the other end.
process.stdin.resume();
process.stdin.on("close", () => process.exit(0));
