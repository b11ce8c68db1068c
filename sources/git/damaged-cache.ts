import { AppError } from "../../runtime/errors.ts";

/** Carries an error that came from reading what is here already, as its cause: a copy, which can be made again. */
export class DamagedCache extends Error {
  constructor(cause: unknown) {
    super("the cache is damaged", { cause });
  }
}

/** Whether an error of reading a cache says that something in it is not as it was written. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof AppError)) return error instanceof Error && "code" in error && error.code === "ENOENT";
  return error.code === "git-corrupt" || error.code === "git-object-missing";
}

/** Throws `DamagedCache` for damage that the work comes upon. */
export async function readingCache<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isDamage(error) ? new DamagedCache(error) : error;
  }
}

/** Whether asking for everything, without building on what is here, may help. */
export function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  return ["git-corrupt", "git-object-missing", "git-invalid-repository", "git-server-busy"].includes(error.code);
}
