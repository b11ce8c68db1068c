// Which metadata of other tools members do not get, from the command line.
import { AppError } from "../../runtime/errors.ts";
import type { Profile } from "../controllers/context.ts";
import { readMetadataStripping } from "../works/tracking-metadata.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const METADATA_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "strip-metadata": {
    type: "string",
    value: "LIST",
    help: "what copies in members go without, by comma: default (the marks of kubectl, helm, argocd, flux and kustomize), some of these names, further keys or DOMAIN/*, or off; an object keeps what its annotation gitops.flaghoist.io/keep-metadata lists",
  },
};

/** Reads the option. Throws a `UsageError` that names the word which cannot be read. */
export function readMetadataSettings(invocation: Invocation): Partial<Pick<Profile, "strippedMetadata">> {
  const text = stringOption(invocation, "strip-metadata");
  if (text === undefined) return {};
  const strippedMetadata = text.split(",").map((word) => word.trim());
  try {
    readMetadataStripping(strippedMetadata);
  } catch (error) {
    if (error instanceof AppError) throw new UsageError(`--strip-metadata: ${error.message}`);
    throw error;
  }
  return { strippedMetadata };
}
