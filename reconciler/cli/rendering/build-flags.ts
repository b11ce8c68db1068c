// The flags of `kustomize build`, with the words that kustomize has for them.

import { resolve } from "node:path";
import { AppError } from "../../../runtime/errors.ts";
import { booleanOption, type CommandOption, type Invocation, stringOption, UsageError } from "../command.ts";

export const BUILD_OPTIONS = {
  output: {
    type: "string",
    short: "o",
    value: "PATH",
    help: "write into this file, or into this folder: one file per object",
  },
  reorder: {
    type: "string",
    value: "legacy|none",
    help: "order of the objects where sortOptions does not say (deprecated)",
  },
  "load-restrictor": {
    type: "string",
    value: "NAME",
    help: "LoadRestrictionsNone: kustomizations may name files outside their folder (default: LoadRestrictionsRootOnly)",
  },
  "enable-managedby-label": { type: "boolean", help: "add the label app.kubernetes.io/managed-by (deprecated)" },
  "enable-helm": { type: "boolean", help: "inflate Helm charts, by the program helm" },
  "helm-command": { type: "string", value: "PATH", help: "that program (default: helm)" },
  "helm-api-versions": {
    type: "string",
    value: "VERSION",
    multiple: true,
    help: "what charts see as the versions of the API (Capabilities.APIVersions)",
  },
  "helm-kube-version": { type: "string", value: "VERSION", help: "the same for Capabilities.KubeVersion" },
  "helm-debug": { type: "boolean", help: "have helm say more of what it does" },
  "enable-alpha-plugins": {
    type: "boolean",
    help: "as --enable-helm; programs that a kustomization names are never run",
  },
  "enable-exec": { type: "boolean", help: "taken and without effect, for the same reason" },
  network: { type: "boolean", help: "the same" },
  "network-name": { type: "string", value: "NAME", help: "the same" },
  mount: { type: "string", value: "OPTIONS", multiple: true, help: "the same" },
  env: { type: "string", short: "e", value: "NAME=VALUE", multiple: true, help: "the same" },
  "as-current-user": { type: "boolean", help: "the same" },
} as const satisfies Readonly<Record<string, CommandOption>>;

/** What the flags say of a build. */
export interface BuildFlags {
  /** Where to write; undefined for the standard output. */
  readonly output: string | undefined;
  /** Undefined: as kustomize does without the flag. */
  readonly order: "legacy" | "none" | undefined;
  readonly allowFilesOutsideRoot: boolean;
  readonly managedByLabel: boolean;
  /** Undefined: charts are refused. */
  readonly helm: HelmFlags | undefined;
}

export interface HelmFlags {
  readonly command: string;
  readonly apiVersions: readonly string[];
  readonly kubeVersion: string;
  readonly debug: boolean;
}

/** Whether a flag is given that says nothing of anything but a kustomization. */
export function meansKustomization({ values }: Invocation): boolean {
  return Object.keys(BUILD_OPTIONS).some((name) => name !== "output" && values[name] !== undefined);
}

/** Lines on deprecated flags, which kustomize prints before anything else. */
export function flagNotices({ values }: Invocation): readonly string[] {
  const notices: string[] = [];
  if (values["reorder"] !== undefined)
    notices.push("Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.");
  if (values["enable-managedby-label"] !== undefined)
    notices.push(
      "Flag --enable-managedby-label has been deprecated, The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead.",
    );
  return notices;
}

/** Reads the flags. As kustomize: a value that it does not know fails before anything is read. */
export function readBuildFlags(invocation: Invocation): BuildFlags {
  const reorder = chosen(invocation, "reorder", ["legacy", "none"]);
  const restrictor = chosen(invocation, "load-restrictor", ["LoadRestrictionsRootOnly", "LoadRestrictionsNone"]);
  const output = stringOption(invocation, "output");
  return {
    output: output === "" ? undefined : output,
    order: reorder,
    allowFilesOutsideRoot: restrictor === "LoadRestrictionsNone",
    managedByLabel:
      booleanOption(invocation, "enable-managedby-label") ||
      invocation.io.env["KUSTOMIZE_ENABLE_MANAGEDBY_LABEL"] === "on",
    helm: readHelmFlags(invocation),
  };
}

// As kustomize, where plugins bring charts along.
function readHelmFlags(invocation: Invocation): HelmFlags | undefined {
  if (!booleanOption(invocation, "enable-helm") && !booleanOption(invocation, "enable-alpha-plugins")) return undefined;
  const command = stringOption(invocation, "helm-command") ?? "helm";
  if (command === "") throw new UsageError("--helm-command is empty");
  const apiVersions = invocation.values["helm-api-versions"];
  return {
    // Helm runs in a folder of its own.
    command: command.includes("/") ? resolve(invocation.io.cwd, command) : command,
    apiVersions: Array.isArray(apiVersions) ? apiVersions : [],
    kubeVersion: stringOption(invocation, "helm-kube-version") ?? "",
    debug: booleanOption(invocation, "helm-debug"),
  };
}

function chosen<const Value extends string>(
  invocation: Invocation,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const given = stringOption(invocation, name);
  // As kustomize: an empty load restrictor is the default one.
  if (given === undefined || (given === "" && name === "load-restrictor")) return undefined;
  const found = values.find((value) => value === given);
  if (found !== undefined) return found;
  const what = `--${name} takes ${values.join(" or ")}, not ${JSON.stringify(given)}`;
  throw new AppError("render-flag", what, { recovery: "stall" });
}
