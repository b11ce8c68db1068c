// Objects that a command line names: files, folders, addresses, and the standard input.
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isObject } from "../../kube/object.ts";
import { parseYamlDocuments } from "../../kube/yaml.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Invocation } from "./command.ts";

/** A document, and where it stands. */
export interface InputDocument {
  readonly value: unknown;
  /** `customization.yaml:12`, with the line where it begins. */
  readonly origin: string;
}

/** As kubectl, of a folder only these are read. */
const EXTENSION = /\.(?:ya?ml|json)$/;
const FETCH_TIMEOUT_MS = 30_000;

/**
 * The documents at `place`: a file, a folder (with `recursive` those inside it too), an address, or `-` for the standard
 * input. Items of a `List` count one by one. Throws `input-unreadable`, and the errors of YAML.
 */
export async function readInputDocuments(
  { io, signal }: Pick<Invocation, "io" | "signal">,
  place: string,
  recursive = false,
): Promise<InputDocument[]> {
  if (place === "-") return documentsIn((await io.readInput?.()) ?? "", "standard input");
  if (/^https?:\/\//.test(place)) return documentsIn(await fetchText(place, signal), place);
  const path = resolve(io.cwd, place);
  try {
    if (!(await stat(path)).isDirectory()) return documentsIn(await readFile(path, "utf8"), place);
    const names = (await readdir(path, { recursive })).filter((name) => EXTENSION.test(name)).sort();
    const found: InputDocument[] = [];
    for (const name of names) found.push(...documentsIn(await readFile(join(path, name), "utf8"), join(place, name)));
    return found;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unreadable(place, error);
  }
}

async function fetchText(address: string, signal: AbortSignal): Promise<string> {
  let response: Response;
  try {
    response = await fetch(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]) });
    if (response.ok) return await response.text();
  } catch (error) {
    throw unreadable(address, error);
  }
  throw unreadable(address, new Error(`the server answers ${response.status} ${response.statusText}`));
}

function documentsIn(text: string, file: string): InputDocument[] {
  return parseYamlDocuments(text, { file }).flatMap(({ value, line }) => {
    const origin = `${file}:${line}`;
    const isList = isObject(value) && value["kind"] === "List" && Array.isArray(value["items"]);
    return isList ? (value["items"] as unknown[]).map((item) => ({ value: item, origin })) : [{ value, origin }];
  });
}

function unreadable(place: string, cause: unknown): AppError {
  return new AppError("input-unreadable", `${place} cannot be read: ${messageOf(cause)}`, { recovery: "stall", cause });
}
