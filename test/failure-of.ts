// The failure that a test expects, to be looked at.
import { AppError } from "../runtime/errors.ts";

/** The `AppError` that `act` throws. Throws when it succeeds, or fails in another way. */
export function failureOf(act: () => unknown): AppError {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
