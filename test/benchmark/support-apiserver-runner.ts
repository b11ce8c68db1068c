// The embedded API server as `flaghoist up` runs it, alone in a process: TLS, roles, a durable file.
// Arguments: FOLDER PORT. Talks to its parent over the process channel.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { listen } from "../../fleets/apiserver/http/listener.ts";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { LoopDelay } from "./support-loop-delay.ts";

const [folder = "", port = "0"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const delay = new LoopDelay();
delay.start();
const server = await createApiServer({
  name: "bench",
  database: join(folder, "store.db"),
  clock: systemClock,
  logger: silentLogger,
  authorization: "rbac",
  historyEvents: 2_000,
});
const listener = await listen(server, {
  host: "127.0.0.1",
  port: Number(port),
  directory: join(folder, "pki"),
  clock: systemClock,
  logger: silentLogger,
});
process.send?.({ url: listener.url });
process.on("message", (message) => {
  if (message !== "delay") return;
  process.send?.({ delay: delay.take() });
});
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => {
  void listener
    .close()
    .then(() => server.close())
    .then(() => process.exit(0));
});
