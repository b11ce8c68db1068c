import { randomInt } from "node:crypto";
import { BOOTSTRAP_CLUSTER_GROUP_PREFIX, BOOTSTRAP_GROUP } from "../../../api/agent-identity.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { rfc3339, systemClock } from "../../../runtime/clock.ts";
import { isDuration, parseDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import { caHash, certificatesOf } from "../agents/discovery.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
  stringOption,
  UsageError,
} from "../command.ts";
import { type ControlPlaneConnection, findKubeconfig, withControlPlane } from "../connect.ts";
import { readMemberKubeconfig } from "../member-kubeconfig.ts";
import { print } from "../output.ts";

const USAGES = ["signing", "authentication"];
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

export const tokenCreateCommand: Command = {
  name: "token create",
  summary: "make a token by which a cluster can register itself",
  usage: "[--print-register-command] [--ttl DURATION] [--cluster NAME]",
  description:
    "Creates a bootstrap token and prints it, or the whole line for 'flaghoist register'. Whoever has it can register one new cluster after another until it expires, and nothing else; with --cluster that one only, also when its agent has lost its credentials.",
  options: {
    "print-register-command": { type: "boolean", help: "print the line to run on the side of the cluster" },
    cluster: { type: "string", value: "NAME", help: "for this cluster only" },
    ttl: { type: "string", value: "DURATION", help: "how long it holds; 0 is for ever (default: 24h)" },
    usages: { type: "string", value: "USAGES", help: "by comma (default: signing,authentication)" },
    groups: { type: "string", value: "GROUPS", help: `by comma (default: ${BOOTSTRAP_GROUP})` },
    description: { type: "string", value: "TEXT", help: "what it is for" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["token create --print-register-command", "for a day"],
    ["token create --cluster edge-7 --ttl 1h --print-register-command", "for one cluster, new or not"],
  ],
  run: (invocation) => withControlPlane(invocation, (connection) => createToken(invocation, connection)),
};

async function createToken(invocation: Invocation, { client, server }: ControlPlaneConnection): Promise<ExitCode> {
  const cluster = stringOption(invocation, "cluster");
  const ttl = stringOption(invocation, "ttl") ?? "24h";
  if (ttl !== "0" && (!isDuration(ttl) || ttl.startsWith("-")))
    throw new UsageError(`--ttl takes a duration such as 24h, or 0, not "${ttl}"`);
  const ttlMs = ttl === "0" ? 0 : parseDuration(ttl);
  const usages = listOption(invocation, "usages", USAGES);
  const other = usages.find((usage) => !USAGES.includes(usage));
  if (other !== undefined) throw new UsageError(`--usages takes ${USAGES.join(" and ")}, not "${other}"`);
  const groups = listOption(invocation, "groups", [BOOTSTRAP_GROUP]);
  if (cluster !== undefined) groups.push(`${BOOTSTRAP_CLUSTER_GROUP_PREFIX}${cluster}`);
  const bad = groups.find((group) => !GROUP.test(group));
  if (bad !== undefined)
    throw new UsageError(`a token cannot be in the group "${bad}": groups begin with system:bootstrappers:`);
  const command = booleanOption(invocation, "print-register-command") ? registerLine(invocation, server) : undefined;

  const id = randomText(6);
  const secret = randomText(16);
  const description = stringOption(invocation, "description");
  const expiration = ttlMs === 0 ? undefined : rfc3339(systemClock.now() + ttlMs);
  const fields: Record<string, string | undefined> = {
    "token-id": id,
    "token-secret": secret,
    description,
    expiration,
    "auth-extra-groups": groups.join(","),
    ...Object.fromEntries(usages.map((usage) => [`usage-bootstrap-${usage}`, "true"])),
  };
  const data = Object.fromEntries(
    Object.entries(fields).flatMap(([key, text]) =>
      text === undefined ? [] : [[key, Buffer.from(text).toString("base64")]],
    ),
  );
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
    type: "bootstrap.kubernetes.io/token",
    data,
  };
  await client.create(object, { fieldManager: "flaghoist-cli" });
  const token = `${id}.${secret}`;
  const line = command?.(token, cluster);
  print(invocation, { token, expires: expiration, groups, usages, command: line }, () => line ?? token);
  return EXIT.ok;
}

/** How the line is made of a token; the address and the authority are those of the kubeconfig in use. */
function registerLine(invocation: Invocation, server: string): (token: string, cluster: string | undefined) => string {
  const { caBundle } = readMemberKubeconfig(findKubeconfig(invocation), stringOption(invocation, "context"));
  const hashes = certificatesOf(caBundle === undefined ? "" : Buffer.from(caBundle, "base64").toString("utf8")).map(
    caHash,
  );
  if (hashes.length === 0)
    throw new AppError("kubeconfig-invalid", "the kubeconfig names no authority of the control plane to pin", {
      recovery: "stall",
    });
  const { host } = new URL(server);
  return (token, cluster) =>
    `flaghoist register ${host} --token ${token} --discovery-token-ca-cert-hash ${hashes.join(",")}${cluster === undefined ? "" : ` --cluster-name ${cluster}`}`;
}

function listOption(invocation: Invocation, name: string, fallback: readonly string[]): string[] {
  const text = stringOption(invocation, name);
  return text === undefined
    ? [...fallback]
    : text
        .split(",")
        .map((each) => each.trim())
        .filter((each) => each !== "");
}

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}
