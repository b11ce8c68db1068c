// Bodies of answers as JSON.
import { parseJson } from "../json.ts";
import { apiUnreachable } from "./status-error.ts";

/** The value of a whole body. A body whose end got lost is a failure of the way: throws as if no answer had come. */
export function parseWhole(text: string, request: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw apiUnreachable(request, new Error("its body is no JSON, or not all of it came"));
  }
}
