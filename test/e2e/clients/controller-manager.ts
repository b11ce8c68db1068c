// The real kube-controller-manager, against any API server.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ControllerManager {
  /** What it has logged so far. */
  log(): string;
  /** Undefined while it runs. */
  readonly exitCode: number | null;
  close(): Promise<void>;
}

export interface ControllerManagerOptions {
  /** Folder of the binaries. */
  readonly assets: string;
  readonly kubeconfig: string;
  readonly controllers: readonly string[];
  readonly args?: readonly string[];
}

/** Controllers of an API server that runs no workloads; what the embedded server does by itself. */
export const CONTROLLERS_OF_THE_API = [
  "namespace-controller",
  "serviceaccount-controller",
  "serviceaccount-token-controller",
  "root-ca-certificate-publisher-controller",
  "garbage-collector-controller",
  "clusterrole-aggregation-controller",
  "persistentvolumeclaim-protection-controller",
  "persistentvolume-protection-controller",
];

/** Whether the binary is among the assets. Prints the reason when tests have to be skipped. */
export function hasControllerManager(assets: string | undefined): assets is string {
  const found = assets !== undefined && existsSync(join(assets, "kube-controller-manager"));
  if (!found)
    console.warn(`skipped: no kube-controller-manager in ${assets ?? "$KUBEBUILDER_ASSETS, which is not set"}`);
  return found;
}

export function startControllerManager(options: ControllerManagerOptions): ControllerManager {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-kcm-"));
  const path = join(folder, "log");
  const log = openSync(path, "w");
  const child: ChildProcess = spawn(
    join(options.assets, "kube-controller-manager"),
    [
      ...["--kubeconfig", options.kubeconfig, "--secure-port", "0"],
      ...["--controllers", options.controllers.join(",")],
      ...["--kube-api-qps", "500", "--kube-api-burst", "1000"],
      ...(options.args ?? ["--leader-elect=false"]),
    ],
    { stdio: ["ignore", log, log] },
  );
  closeSync(log);
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  // Were this process killed, it would stay behind.
  process.once("exit", kill);
  return {
    log: () => readFileSync(path, "utf8"),
    get exitCode() {
      return child.exitCode;
    },
    async close() {
      process.off("exit", kill);
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
        kill();
        await gone;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
