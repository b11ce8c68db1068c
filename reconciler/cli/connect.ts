// How a command reaches the control plane.
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { isUnreachable } from "../../kube/client/status-error.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { type Invocation, stringOption, UsageError } from "./command.ts";

export const DATA_FOLDER = ".flaghoist";

/** The data folder that a command works on. */
export function dataFolderOf(invocation: Invocation): string {
  return resolve(invocation.io.cwd, stringOption(invocation, "data") ?? DATA_FOLDER);
}

export interface ControlPlaneConnection {
  readonly client: KubeClient;
  readonly server: string;
  close(): Promise<void>;
}

/** The kubeconfig a command is to use: its flag, then the environment, then the data folder of `flaghoist up`. */
export function findKubeconfig(invocation: Invocation): string {
  const flag = stringOption(invocation, "kubeconfig");
  const { env, cwd } = invocation.io;
  if (flag !== undefined) return resolve(cwd, flag);
  const fromEnv = env["FLAGHOIST_KUBECONFIG"];
  if (fromEnv !== undefined && fromEnv !== "") return resolve(cwd, fromEnv);
  const local = join(cwd, DATA_FOLDER, "kubeconfig");
  if (existsSync(local)) return local;
  const [kubeconfig] = (env["KUBECONFIG"] ?? "").split(delimiter);
  if (kubeconfig !== undefined && kubeconfig !== "") return kubeconfig;
  throw new AppError(
    "control-plane-unknown",
    "no control plane found: start one with 'flaghoist up' in this folder, or name its kubeconfig with --kubeconfig",
    { recovery: "stall" },
  );
}

export async function connectControlPlane(invocation: Invocation): Promise<ControlPlaneConnection> {
  const snapshot = stringOption(invocation, "snapshot");
  if (snapshot !== undefined) {
    for (const other of ["kubeconfig", "context"])
      if (stringOption(invocation, other) !== undefined)
        throw new UsageError(`--snapshot is asked instead of a control plane: leave --${other} out`);
    const file = resolve(invocation.io.cwd, snapshot);
    // Other commands start without a whole API server.
    const { openSnapshotPlane } = await import("./snapshot-plane.ts");
    return { ...(await openSnapshotPlane(file)), server: file };
  }
  const transport = await openHttpTransportFile(findKubeconfig(invocation), stringOption(invocation, "context"));
  return { client: new KubeClient(transport.send), server: transport.server, close: transport.close };
}

/** Runs `work` with a connection that is closed afterwards. */
export async function withControlPlane<T>(
  invocation: Invocation,
  work: (connection: ControlPlaneConnection) => Promise<T>,
): Promise<T> {
  const connection = await connectControlPlane(invocation);
  try {
    return await work(connection);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    throw new AppError(
      "control-plane-unreachable",
      `the control plane at ${connection.server} is not answering (${messageOf(error)}): is 'flaghoist up' running?`,
      { recovery: "retry", cause: error },
    );
  } finally {
    await connection.close();
  }
}
