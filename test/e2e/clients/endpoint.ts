// The embedded API server alone, over TLS with roles, as clients of a control plane reach it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Listener, listen } from "../../../fleets/apiserver/http/listener.ts";
import { type ApiServer, type ApiServerOptions, createApiServer } from "../../../fleets/apiserver/server.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";

export interface Endpoint {
  readonly server: ApiServer;
  readonly listener: Listener;
  /** Path of a kubeconfig file of an administrator. */
  readonly kubeconfig: string;
  /** Certificates and whatever else belongs to this endpoint alone. */
  readonly folder: string;
  /** Stops serving and serves again on the same port from what is in the file. Needs `durable`. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** `durable` keeps objects in a file. */
export async function startEndpoint(
  options: Partial<ApiServerOptions> & { readonly durable?: boolean } = {},
): Promise<Endpoint> {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-endpoint-"));
  const { durable = false, ...rest } = options;
  async function start(port: number): Promise<{ server: ApiServer; listener: Listener }> {
    const server = await createApiServer({
      name: "endpoint",
      clock: systemClock,
      logger: silentLogger,
      authorization: "rbac",
      ...(durable ? { database: join(folder, "store.db") } : {}),
      ...rest,
    });
    const directory = join(folder, "pki");
    const listener = await listen(server, {
      host: "127.0.0.1",
      port,
      directory,
      clock: systemClock,
      logger: silentLogger,
    });
    return { server, listener };
  }
  async function stop(): Promise<void> {
    await running.listener.close();
    await running.server.close();
  }

  let running = await start(0);
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, running.listener.adminKubeconfig(), { mode: 0o600 });
  return {
    get server() {
      return running.server;
    },
    get listener() {
      return running.listener;
    },
    kubeconfig,
    folder,
    async restart() {
      const { port } = running.listener;
      await stop();
      running = await start(port);
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
