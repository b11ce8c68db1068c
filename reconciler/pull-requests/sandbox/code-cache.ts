// Compiled code of the program that makes plans: with it a process is there in a third of the time. It is filled by a process
// that was told of no change, and those that are told of one cannot write a byte.
import { existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

const filling = new Map<string, Promise<string | undefined>>();

/**
 * The folder that has the code of this version, which `fill` puts there the first time. Undefined where that cannot be done, as
 * where the program was installed for reading only.
 */
export function findCode(
  version: string,
  fill: (folder: string) => Promise<unknown>,
  logger: Logger,
): Promise<string | undefined> {
  const folder = `${process.env["NODE_COMPILE_CACHE"] ?? join(ROOT, "node_modules/.cache/node")}-plans`;
  const key = `${folder} ${version}`;
  const known = filling.get(key) ?? prepare(folder, version, fill, logger);
  filling.set(key, known);
  return known;
}

async function prepare(
  folder: string,
  version: string,
  fill: (folder: string) => Promise<unknown>,
  logger: Logger,
): Promise<string | undefined> {
  try {
    mkdirSync(folder, { recursive: true });
    const real = realpathSync(folder);
    const complete = join(real, `complete-${version}-${process.versions.node}`);
    if (existsSync(complete)) return real;
    await fill(real);
    writeFileSync(complete, "");
    return real;
  } catch (error) {
    logger.debug("could not keep the code of plans", { error: messageOf(error) });
    return undefined;
  }
}
