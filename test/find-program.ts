// Real programs that tests run beside ours, where there are any.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** `$KUBEBUILDER_ASSETS/NAME`, else the first on PATH; undefined when there is none. */
export function findProgram(name: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = programPath(environment).split(delimiter);
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isProgram);
}

/** Where real programs are looked for, as a PATH. */
export function programPath(environment: NodeJS.ProcessEnv = process.env): string {
  return [environment["KUBEBUILDER_ASSETS"], environment["PATH"]].filter(Boolean).join(delimiter);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
