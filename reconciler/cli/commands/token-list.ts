import { type BootstrapToken, readBootstrapToken } from "../../../fleets/apiserver/tokens/bootstrap-tokens.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { table } from "../../reports/table.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
} from "../command.ts";
import { commandClock } from "../command-clock.ts";
import { withControlPlane } from "../connect.ts";
import { print } from "../output.ts";

export const tokenListCommand: Command = {
  name: "token list",
  summary: "list the tokens by which clusters can register themselves",
  usage: "[--show-secrets]",
  description: "The secret half of a token is shown with --show-secrets only.",
  options: {
    "show-secrets": { type: "boolean", help: "show whole tokens" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [["token list", ""]],
  run: (invocation) => withControlPlane(invocation, ({ client }) => listTokens(invocation, client)),
};

async function listTokens(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const { items } = await client.list("v1", "Secret", {
    namespace: "kube-system",
    fieldSelector: "type=bootstrap.kubernetes.io/token",
  });
  const tokens = items.flatMap((secret) => readBootstrapToken(secret) ?? []);
  const whole = booleanOption(invocation, "show-secrets");
  const text = ({ id, secret }: BootstrapToken): string => `${id}.${whole ? secret : "****************"}`;
  const descriptions = new Map(
    items.map(({ metadata, data }) => [
      metadata.name,
      Buffer.from((data as Record<string, string> | undefined)?.["description"] ?? "", "base64").toString("utf8"),
    ]),
  );
  const rows = tokens.map((token) => ({
    token: text(token),
    expires: expiry(token),
    usages: token.usages,
    description: descriptions.get(`bootstrap-token-${token.id}`) ?? "",
    groups: token.groups ?? [],
  }));
  const now = commandClock.now();
  print(invocation, rows, () =>
    table([
      ["TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"],
      ...rows.map(({ token, usages, description, groups }, index) => [
        token,
        ttl(tokens[index]?.expiresAt, now),
        rows[index]?.expires ?? "<never>",
        orNone(usages.join(",")),
        orNone(description),
        orNone(groups.join(",")),
      ]),
    ]),
  );
  return EXIT.ok;
}

function expiry({ expiresAt }: BootstrapToken): string | undefined {
  if (expiresAt === undefined) return undefined;
  return Number.isFinite(expiresAt) ? rfc3339(expiresAt) : "<unreadable>";
}

/** As kubectl's ages: the largest unit that is not 0. */
function ttl(expiresAt: number | undefined, nowMs: number): string {
  if (expiresAt === undefined) return "<forever>";
  const seconds = Math.floor((expiresAt - nowMs) / 1000);
  if (!(seconds > 0)) return "<expired>";
  const [unit, size] =
    seconds < 60 ? ["s", 1] : seconds < 3600 ? ["m", 60] : seconds < 86_400 ? ["h", 3600] : ["d", 86_400];
  return `${Math.floor(seconds / Number(size))}${unit}`;
}

function orNone(text: string): string {
  return text === "" ? "<none>" : text;
}
