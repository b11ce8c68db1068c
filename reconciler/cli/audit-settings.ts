// What of the endpoint's requests is recorded, and where.
import { AuditLog } from "../../fleets/apiserver/audit/audit-log.ts";
import type { AuditOptions } from "../../fleets/apiserver/audit/auditor.ts";
import { readAuditPolicyFile } from "../../fleets/apiserver/audit/policy-file.ts";
import type { Clock } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";

export interface AuditSettings {
  readonly logFile: string;
  readonly policyFile: string;
  /** Bytes after which the file is put aside. */
  readonly maxBytes: number;
  /** Files put aside that are kept. */
  readonly maxBackups: number;
}

/** Works carry whole Secrets to the members. */
const CONFIDENTIAL = ["work.karmada.io/works"];

export interface OpenAudit {
  readonly options: AuditOptions;
  /** Writes what waits. */
  close(): Promise<void>;
}

/** Reads the policy and opens the file; throws for either with what to do. */
export async function openAudit(settings: AuditSettings, clock: Clock, logger: Logger): Promise<OpenAudit> {
  const policy = readAuditPolicyFile(settings.policyFile);
  const { logFile: path, maxBytes, maxBackups } = settings;
  try {
    const sink = await AuditLog.open({ path, maxBytes, maxBackups, clock, logger });
    return { options: { policy, sink, confidential: CONFIDENTIAL }, close: () => sink.close() };
  } catch (error) {
    throw new AppError("audit-log-unusable", `the audit log ${path} cannot be opened: ${messageOf(error)}`, {
      recovery: "stall",
      cause: error,
    });
  }
}
