import { AppError } from "../../../runtime/errors.ts";

/**
 * Creates something once, though the answer may get lost on its way: then it is looked for before it is created again.
 * `find` has to tell it from what was there before.
 */
export async function createOnce<T>(create: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "forge-outcome-unknown") throw error;
    return (await find()) ?? (await create());
  }
}
