// Outcomes of calls, as gRPC numbers them.
import { AppError } from "../../../runtime/errors.ts";

/** https://grpc.io/docs/guides/status-codes/ */
export const GRPC_CODES = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;
export type GrpcCode = keyof typeof GRPC_CODES;

const NAMES = new Map<number, GrpcCode>(
  // Entries of a constant have its keys.
  Object.entries(GRPC_CODES).map(([name, number]) => [number, name as GrpcCode]),
);

/** A call that failed: at the other side, on the way, or for want of time. */
export class GrpcError extends AppError {
  readonly status: GrpcCode;

  constructor(status: GrpcCode, message: string, cause?: unknown) {
    super(`grpc-${status.toLowerCase().replaceAll("_", "-")}`, message, { recovery: "retry", cause });
    this.name = "GrpcError";
    this.status = status;
  }
}

/** Codes that are not listed are as good as unknown. */
export function codeName(number: number): GrpcCode {
  return NAMES.get(number) ?? "UNKNOWN";
}

/** Messages travel in a header: what is not printable there is written `%XX`. */
export function encodeMessage(message: string): string {
  let out = "";
  for (const byte of Buffer.from(message, "utf8")) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

export function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** Milliseconds of a `grpc-timeout` header; undefined when it is none. */
export function parseTimeout(text: string | undefined): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text ?? "");
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
}

/** At most eight digits are allowed. */
export function formatTimeout(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms));
  return whole < 100_000_000 ? `${whole}m` : `${Math.ceil(whole / 1000)}S`;
}
