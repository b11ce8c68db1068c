// The real kube-scheduler, beside a real API server and nothing else.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { startRealApiServer } from "../../e2e/support/real-api-server.ts";

export interface RealScheduler {
  readonly client: KubeClient;
  close(): Promise<void>;
}

/** `assets`: the folder of the API server; `program`: kube-scheduler. */
export async function startRealScheduler(assets: string, program: string): Promise<RealScheduler> {
  const server = await startRealApiServer(assets);
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-scheduler-"));
  const config = join(folder, "config.json");
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: "kubescheduler.config.k8s.io/v1",
      kind: "KubeSchedulerConfiguration",
      clientConnection: { kubeconfig: server.kubeconfig, qps: 500, burst: 1000 },
      leaderElection: { leaderElect: false },
    }),
  );
  const log = openSync(join(folder, "log"), "w");
  const child = spawn(program, ["--config", config, "--secure-port", "0"], { stdio: ["ignore", log, log] });
  closeSync(log);
  process.once("exit", () => child.kill("SIGKILL"));
  const transport = await openHttpTransport({ kubeconfig: readFileSync(server.kubeconfig, "utf8") });
  return {
    client: new KubeClient(transport.send),
    close: async () => {
      child.kill("SIGKILL");
      await transport.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
