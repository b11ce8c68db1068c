// What a plan's process and the one that started it say to each other.
import { AppError, type Recovery } from "../../../runtime/errors.ts";
import type { Frame, Header } from "./frames.ts";
import type { PlanJob } from "./plan-job.ts";

/** A request of an API server; what is sent along is the payload of its frame, in JSON. */
export interface AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType: string | undefined;
}

/** What the process of a plan says, before the result, which ends it. */
export type ChildMessage =
  | { readonly type: "request"; readonly id: number; readonly member: string | undefined; readonly asked: AskedRequest }
  /** Of the report; the payload is JSON. */
  | { readonly type: "part"; readonly list: unknown }
  | { readonly type: "error"; readonly error: AppError }
  /** A fault of the program: where it happened. */
  | { readonly type: "bug"; readonly stack: string };

export interface StartMessage {
  readonly type: "plan";
  readonly job: PlanJob;
  readonly version: string;
}

export type ParentMessage =
  | StartMessage
  /** That the compiled code is kept. */
  | { readonly type: "fill" }
  | { readonly type: "answer"; readonly id: number; readonly status: number }
  | { readonly type: "failure"; readonly id: number; readonly error: AppError };

const LONGEST_MESSAGE = 8_000;
const RECOVERIES: ReadonlySet<unknown> = new Set<Recovery>(["retry", "wait", "stall"]);

/** Undefined for what is none. */
export function readChildMessage({ header }: Frame): ChildMessage | undefined {
  const { type, id, member, method, path, contentType, stack } = header;
  if (type === "request") {
    if (typeof id !== "number" || typeof method !== "string" || typeof path !== "string") return undefined;
    if (!isTextOrNone(member) || !isTextOrNone(contentType)) return undefined;
    return { type, id, member, asked: { method, path, contentType } };
  }
  if (type === "part") return { type, list: header["list"] };
  if (type === "error") return { type, error: readError(header) };
  return type === "bug" && typeof stack === "string" ? { type, stack } : undefined;
}

/** The messages to a plan's process come from the program itself. */
export function readParentMessage({ header }: Frame): ParentMessage {
  if (header["type"] === "failure") return { type: "failure", id: Number(header["id"]), error: readError(header) };
  return header as unknown as ParentMessage;
}

/** An error as a header has it. Details and causes stay where they are. */
export function errorHeader(error: AppError): Header {
  const { code, recovery, afterMs } = error;
  return {
    code,
    message: error.message.slice(0, LONGEST_MESSAGE),
    recovery,
    ...(afterMs === undefined ? {} : { afterMs }),
  };
}

function readError({ code, message, recovery, afterMs }: Header): AppError {
  return new AppError(
    typeof code === "string" && /^[a-z][a-z0-9-]{0,62}$/.test(code) ? code : "plan-failed",
    typeof message === "string" ? message.slice(0, LONGEST_MESSAGE) : "the plan failed",
    {
      // Checked just here.
      recovery: RECOVERIES.has(recovery) ? (recovery as Recovery) : "stall",
      ...(typeof afterMs === "number" ? { afterMs } : {}),
    },
  );
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
