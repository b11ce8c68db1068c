import { isIP } from "node:net";
import { resolve } from "node:path";
import { checkDnsSubdomain } from "../../../kube/names.ts";
import { sleep, systemClock } from "../../../runtime/clock.ts";
import { isDuration, parseDuration } from "../../../runtime/duration.ts";
import { createLogger, type Level, type Logger } from "../../../runtime/logger.ts";
import { HelmProgram } from "../../charts/helm-program.ts";
import type { Profile } from "../../controllers/context.ts";
import { ADMISSION_OPTIONS, readAdmissionSettings } from "../admission-settings.ts";
import { APPLY_OPTIONS, readApplySettings } from "../apply-settings.ts";
import type { AuditSettings } from "../audit-settings.ts";
import { AUTHENTICATION_OPTIONS, readAuthentication } from "../authentication.ts";
import { booleanOption, type Command, EXIT, type Invocation, type Io, stringOption, UsageError } from "../command.ts";
import { DATA_FOLDER } from "../connect.ts";
import { type ControlPlane, startControlPlane } from "../control-plane.ts";
import { DELETION_OPTIONS, readDeletionSettings } from "../deletion-settings.ts";
import { DRIFT_OPTIONS, readDriftSettings } from "../drift-settings.ts";
import { ESTIMATOR_OPTIONS, readEstimatorSettings } from "../estimator-settings.ts";
import { type AdvertisedAddress, parseAdvertisedAddress } from "../extension-listener.ts";
import { FAILOVER_OPTIONS, readFailoverSettings } from "../failover-settings.ts";
import { LEADER_OPTIONS, readLeaderSettings } from "../leader-settings.ts";
import { MONITOR_OPTIONS, readMonitorSettings } from "../lease-settings.ts";
import { MEMBER_OPTIONS, readMemberSettings } from "../member-settings.ts";
import { METADATA_OPTIONS, readMetadataSettings } from "../metadata-settings.ts";
import { paint } from "../output.ts";
import { REBALANCE_OPTIONS, readRebalanceSettings } from "../rebalance-settings.ts";
import { REMOTE_OPTIONS, readRemoteSettings } from "../remote-settings.ts";
import { readSchedulingSettings, SCHEDULING_OPTIONS } from "../scheduling-settings.ts";
import { startMembers } from "../simulated-members.ts";
import { readSkipSettings, SKIP_OPTIONS } from "../skip-settings.ts";
import { readWebhookSettings, WEBHOOK_OPTIONS } from "../webhook-settings.ts";

/** Well above the ten seconds that running requests get. */
const LONGEST_STOP_MS = 30_000;

export const upCommand: Command = {
  name: "up",
  summary: "start the control plane",
  usage: "[--data FOLDER] [--port PORT] [--simulate N | --fleet FILE] [--store KUBECONFIG]",
  description:
    "Starts the endpoint (a Kubernetes API for kubectl, Argo CD, Flux and Helm) and everything behind it, in one process. State is kept in the data folder, which also receives the kubeconfig. Ends on Ctrl-C. With --store, and where that API server reaches this process, it passes on the group cluster.karmada.io (an APIService), so that clusters/NAME/proxy leads into the members. A control plane that ends takes the registration back; after one that was killed, Clusters answer 503 until it runs again or 'kubectl delete apiservice v1alpha1.cluster.karmada.io'.",
  options: {
    data: { type: "string", value: "FOLDER", help: `where state is kept (default: ${DATA_FOLDER})` },
    host: { type: "string", value: "ADDRESS", help: "address to listen on (default: 127.0.0.1)" },
    port: {
      type: "string",
      value: "PORT",
      help: "port to listen on (default: 6443, with --store any; 0 takes any)",
    },
    "tls-san": {
      type: "string",
      value: "NAMES",
      help: "further names and addresses under which clients reach the endpoint, by comma, for its certificate",
    },
    advertise: {
      type: "string",
      value: "HOST[:PORT]",
      help: "with --store: where that API server reaches this process, for admission and for clusters/proxy (default: 127.0.0.1 when it is on this machine)",
    },
    simulate: { type: "string", value: "N", help: "also start N simulated member clusters and join them" },
    fleet: {
      type: "string",
      value: "FILE",
      help: "also start the simulated fleet of a scenario and join its clusters; its timeline begins then",
    },
    store: {
      type: "string",
      value: "KUBECONFIG",
      help: "keep all state in this API server instead of the embedded one",
    },
    ...LEADER_OPTIONS,
    ...AUTHENTICATION_OPTIONS,
    ...SCHEDULING_OPTIONS,
    ...ESTIMATOR_OPTIONS,
    ...APPLY_OPTIONS,
    ...REBALANCE_OPTIONS,
    ...DRIFT_OPTIONS,
    ...ADMISSION_OPTIONS,
    ...MONITOR_OPTIONS,
    compatibility: {
      type: "string",
      value: "MODE",
      help: "flaghoist (default), or karmada: leave out what Karmada does not do",
    },
    ...SKIP_OPTIONS,
    ...MEMBER_OPTIONS,
    ...METADATA_OPTIONS,
    ...FAILOVER_OPTIONS,
    ...DELETION_OPTIONS,
    "allow-local-sources": { type: "boolean", help: "let GitRepositories name folders of this machine" },
    ...REMOTE_OPTIONS,
    ...WEBHOOK_OPTIONS,
    "enable-helm": {
      type: "boolean",
      help: "inflate the Helm charts of kustomizations by the helm program; charts with a repo are pulled from it",
    },
    "helm-command": { type: "string", value: "PROGRAM", help: "the helm program (default: helm)" },
    "request-log": { type: "boolean", help: "write a line of the log for each request to the endpoint" },
    "audit-log": {
      type: "string",
      value: "FILE",
      help: "record requests to the endpoint as --audit-policy says, one JSON entry a line",
    },
    "audit-policy": {
      type: "string",
      value: "FILE",
      help: "what is recorded: an audit.k8s.io/v1 Policy; of Secrets, tokens and Works never the content, whatever it says",
    },
    "audit-log-maxsize": { type: "string", value: "MB", help: "size at which that file is put aside (default: 100)" },
    "audit-log-maxbackup": { type: "string", value: "N", help: "files put aside that are kept (default: 10)" },
    "shutdown-delay": {
      type: "string",
      value: "DURATION",
      help: "go on for this long after SIGTERM, while /readyz says not to send more (default: 0s)",
    },
    "log-level": { type: "string", value: "LEVEL", help: "debug, info, warn or error (default: info)" },
  },
  examples: [
    ["up", "on port 6443, state in ./.flaghoist"],
    ["up --simulate 3", "with three clusters to try things on"],
    ["up --fleet examples/fleets/flapping.yaml", "with the clusters of a scenario, and what befalls them"],
    ["up --audit-log audit.log --audit-policy policy.yaml", "with a record of who did what"],
    ["up --store ~/.kube/config", "state in an API server that you run"],
  ],
  run: async (invocation) => {
    const { io, signal } = invocation;
    const logger = loggerFor(io, stringOption(invocation, "log-level") ?? "info");
    const store = stringOption(invocation, "store");
    const delayMs = delayOption(invocation);
    const authentication = readAuthentication(invocation);
    const profile = profileOf(invocation);
    const { members, join, close: closeMembers } = await startMembers(invocation, logger);
    const starting = startControlPlane({
      dataFolder: resolve(io.cwd, stringOption(invocation, "data") ?? DATA_FOLDER),
      storeKubeconfig: store === undefined ? undefined : resolve(io.cwd, store),
      host: stringOption(invocation, "host") ?? (store === undefined ? "127.0.0.1" : undefined),
      port: portOption(invocation, store === undefined ? "6443" : undefined),
      hostnames: hostnamesOption(invocation, store),
      advertise: advertiseOption(invocation, store),
      profile,
      failover: readFailoverSettings(invocation, profile),
      authentication,
      leader: readLeaderSettings(invocation, store !== undefined),
      // Whatever this process was about to do is another one's to do now. It is to be started again, as a candidate.
      onLeaderLost: () => {
        io.err("lost the lease: another control plane may act by now, and this one ends\n");
        process.exit(EXIT.failed);
      },
      signal,
      members,
      requestLog: booleanOption(invocation, "request-log"),
      audit: auditOption(invocation),
      allowLocalSources: booleanOption(invocation, "allow-local-sources"),
      helm: helmOption(invocation),
      remoteBases: readRemoteSettings(invocation),
      webhooks: readWebhookSettings(invocation),
      logger,
    });
    let plane: ControlPlane;
    try {
      plane = await starting;
    } catch (error) {
      await closeMembers();
      if (!signal.aborted || error !== signal.reason) throw error;
      io.err("stopping: this process did not lead\n");
      return EXIT.ok;
    }
    const colour = paint(invocation);
    io.out(
      `${colour.green("▸")} Control plane on ${colour.bold(plane.url)} (${store === undefined ? "embedded" : "external store"})\n`,
    );
    io.out(`  export KUBECONFIG=${plane.kubeconfig}\n`);
    if (plane.webhookUrl !== undefined) io.out(`${colour.green("▸")} Webhooks on ${colour.bold(plane.webhookUrl)}\n`);
    await join(plane);
    if (members.size > 0)
      io.out(`${colour.green("▸")} ${members.size} simulated clusters: ${[...members.keys()].join(", ")}\n`);
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      else signal.addEventListener("abort", () => done(), { once: true });
    });
    io.err("stopping\n");
    if (delayMs > 0) {
      plane.drain();
      await sleep(systemClock, delayMs);
    }
    const stopped = (async () => {
      await plane.close();
      await closeMembers();
      return true;
    })();
    if (await Promise.race([stopped, sleep(systemClock, LONGEST_STOP_MS).then(() => false)])) return EXIT.ok;
    io.err("something did not stop in time; everything that was acknowledged is in the store\n");
    return EXIT.failed;
  },
};

function advertiseOption(invocation: Invocation, store: string | undefined): AdvertisedAddress | undefined {
  const text = stringOption(invocation, "advertise");
  if (text === undefined) return undefined;
  if (store === undefined) throw new UsageError("--advertise is for --store: the embedded server needs none");
  const address = parseAdvertisedAddress(text);
  if (address === undefined) throw new UsageError(`--advertise takes HOST or HOST:PORT, not "${text}"`);
  return address;
}

function helmOption(invocation: Invocation): HelmProgram | undefined {
  if (!booleanOption(invocation, "enable-helm")) return undefined;
  return new HelmProgram({ command: stringOption(invocation, "helm-command"), environment: process.env });
}

function hostnamesOption(invocation: Invocation, store: string | undefined): readonly string[] {
  const text = stringOption(invocation, "tls-san");
  if (text === undefined) return [];
  if (store !== undefined) throw new UsageError("--tls-san is for the embedded endpoint; with --store there is none");
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (isIP(name) === 0 && checkDnsSubdomain(name.replace(/^\*\./, "")).length > 0)
      throw new UsageError(`--tls-san takes names and addresses, not "${name}"`);
  }
  return names;
}

function portOption(invocation: Invocation, otherwise: string | undefined): number | undefined {
  const text = stringOption(invocation, "port") ?? otherwise;
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port takes a number up to 65535, not "${text}"`);
  return port;
}

function delayOption(invocation: Invocation): number {
  const text = stringOption(invocation, "shutdown-delay") ?? "0s";
  if (!isDuration(text) || text.startsWith("-"))
    throw new UsageError(`--shutdown-delay takes a duration such as 10s, not "${text}"`);
  return parseDuration(text);
}

function auditOption(invocation: Invocation): AuditSettings | undefined {
  const [logFile, policyFile] = [stringOption(invocation, "audit-log"), stringOption(invocation, "audit-policy")];
  if (logFile === undefined && policyFile === undefined) return undefined;
  if (logFile === undefined || policyFile === undefined)
    throw new UsageError("--audit-log and --audit-policy go together: where to, and what");
  if (stringOption(invocation, "store") !== undefined)
    throw new UsageError("--audit-log records the embedded endpoint; with --store, the API server there audits");
  return {
    logFile: resolve(invocation.io.cwd, logFile),
    policyFile: resolve(invocation.io.cwd, policyFile),
    maxBytes: countOption(invocation, "audit-log-maxsize", 100) * 1_000_000,
    maxBackups: countOption(invocation, "audit-log-maxbackup", 10),
  };
}

function countOption(invocation: Invocation, name: string, fallback: number): number {
  const text = stringOption(invocation, name) ?? String(fallback);
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`--${name} takes a whole number, not "${text}"`);
  return Number(text);
}

function profileOf(invocation: Invocation): Partial<Profile> & Pick<Profile, "compatibility" | "featureGates"> {
  const compatibility = stringOption(invocation, "compatibility") ?? "flaghoist";
  if (compatibility !== "flaghoist" && compatibility !== "karmada")
    throw new UsageError(`--compatibility takes flaghoist or karmada, not "${compatibility}"`);
  return {
    compatibility,
    ...readSchedulingSettings(invocation),
    ...readSkipSettings(invocation),
    ...readMemberSettings(invocation),
    ...readMetadataSettings(invocation),
    estimators: readEstimatorSettings(invocation),
    ...readApplySettings(invocation),
    ...readRebalanceSettings(invocation),
    ...readDriftSettings(invocation),
    ...readAdmissionSettings(invocation),
    ...readDeletionSettings(invocation, compatibility),
    ...readMonitorSettings(invocation),
  };
}

const LEVELS: readonly string[] = ["debug", "info", "warn", "error"];

export function loggerFor(io: Io, level: string): Logger {
  if (!LEVELS.includes(level)) throw new UsageError(`there is no log level "${level}"; choose ${LEVELS.join(", ")}`);
  // The list above holds exactly the levels.
  return createLogger({
    level: level as Level,
    format: io.isTerminal ? "text" : "json",
    write: io.err,
    now: () => systemClock.now(),
  });
}
