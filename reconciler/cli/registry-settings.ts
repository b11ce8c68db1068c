// Whether a plan asks registries for the images that a change brings, from the command line: only where it says so.
import type { CheckImage } from "../plan/safety/registry-check.ts";
import { booleanOption, type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const REGISTRY_OPTIONS = {
  "check-images": {
    type: "boolean",
    help: "ask registries, without credentials, whether they have the images that the change brings",
  },
  "inward-registries": {
    type: "string",
    value: "HOSTS",
    help: "registries of this machine and of private networks that --check-images may ask, by comma: HOST or HOST:PORT (default: none)",
  },
} as const satisfies Readonly<Record<string, CommandOption>>;

/** Runs with what asks registries; undefined unless `--check-images` is given. */
export async function withRegistryCheck<T>(
  invocation: Invocation,
  run: (checkImage: CheckImage | undefined) => Promise<T>,
): Promise<T> {
  const inwardHosts = readHosts(stringOption(invocation, "inward-registries"));
  if (!booleanOption(invocation, "check-images")) return run(undefined);
  // Rarely needed.
  const { RegistryCheck } = await import("../plan/safety/registry-check.ts");
  const registries = new RegistryCheck({ signal: invocation.signal, inwardHosts });
  try {
    return await run(registries.check);
  } finally {
    registries.close();
  }
}

function readHosts(text = ""): readonly string[] {
  const hosts = text
    .split(",")
    .map((host) => host.trim())
    .filter((host) => host !== "");
  for (const host of hosts)
    if (!/^[\w.[\]:-]+$/.test(host)) throw new UsageError(`--inward-registries: "${host}" is no HOST or HOST:PORT`);
  return hosts;
}
