// What a kubeconfig says of a connection: where to, by whom, trusting whom.
import { AppError, messageOf } from "../../runtime/errors.ts";

export interface KubeconfigOptions {
  /** Text of a kubeconfig. */
  readonly kubeconfig: string;
  /** Context to use instead of the current one. */
  readonly context?: string | undefined;
  /**
   * Refuses what reaches out of the text: commands, credential plug-ins, files of this machine. For kubeconfigs that come
   * from others, such as a Secret.
   */
  readonly selfContained?: boolean;
}

export interface Credentials {
  readonly headers: Record<string, string>;
  readonly tls: {
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    rejectUnauthorized?: boolean;
    servername?: string;
  };
}

export interface KubeconfigConnection {
  /** As written: `https://host:port/prefix`. */
  readonly server: string;
  readonly url: URL;
  readonly proxyUrl: string | undefined;
  /** Resolves credentials of every form anew: certificates, tokens, files, exec plug-ins. Rejects when that fails. */
  credentials(): Promise<Credentials>;
}

/** Reads a kubeconfig. Throws `kubeconfig-invalid` for a text that is none or names no cluster. */
export async function readKubeconfig(options: KubeconfigOptions): Promise<KubeconfigConnection> {
  // The library is heavy (about 80 MB): only programs that talk to a remote cluster pay for it, and only for this module.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const config = new KubeConfig();
  try {
    config.loadFromString(options.kubeconfig);
  } catch (error) {
    throw kubeconfigInvalid(messageOf(error), error);
  }
  if (options.context !== undefined) config.setCurrentContext(options.context);
  if (options.selfContained === true) refuseReferences(config.getCurrentUser(), config.getCurrentCluster());
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server)) {
    throw kubeconfigInvalid(`context "${config.getCurrentContext()}" names no cluster with a server URL`, undefined);
  }

  async function credentials(): Promise<Credentials> {
    const request: Record<string, unknown> = {};
    await config.applyToHTTPSOptions(request);
    const headers: Record<string, string> = {};
    if (typeof request["headers"] === "object" && request["headers"] !== null) {
      for (const [name, value] of Object.entries(request["headers"])) headers[name.toLowerCase()] = String(value);
    }
    if (typeof request["auth"] === "string")
      headers["authorization"] = `Basic ${Buffer.from(request["auth"]).toString("base64")}`;
    const tls: Credentials["tls"] = {};
    for (const name of ["ca", "cert", "key"] as const) {
      const value = request[name];
      if (typeof value === "string" || Buffer.isBuffer(value)) tls[name] = value;
    }
    if (request["rejectUnauthorized"] === false || cluster?.skipTLSVerify === true) tls.rejectUnauthorized = false;
    if (typeof request["servername"] === "string") tls.servername = request["servername"];
    return { headers, tls };
  }

  const { server, proxyUrl } = cluster;
  return { server, url: new URL(server), proxyUrl: proxyUrl === "" ? undefined : proxyUrl, credentials };
}

interface Referrer {
  readonly exec?: unknown;
  readonly authProvider?: unknown;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
}

function refuseReferences(user: Referrer | null, cluster: Referrer | null): void {
  const found = [
    user?.exec !== undefined ? "runs a command (exec)" : undefined,
    user?.authProvider !== undefined ? "uses a credential plug-in or a token file" : undefined,
    user?.certFile !== undefined || user?.keyFile !== undefined || cluster?.caFile !== undefined
      ? "names files"
      : undefined,
  ].find((problem) => problem !== undefined);
  if (found !== undefined) {
    throw kubeconfigInvalid(`it ${found}; one that is stored must hold its certificates or token itself`, undefined);
  }
}

export function kubeconfigInvalid(why: string, cause: unknown): AppError {
  return new AppError("kubeconfig-invalid", `the kubeconfig cannot be used: ${why}`, { recovery: "stall", cause });
}
