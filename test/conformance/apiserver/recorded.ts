// The recorded cases of the API server, as their files hold them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** A bearer token; empty means no credentials, absent the administrator. */
  readonly user?: string;
  /** GET `from`, set the paths, PUT. */
  readonly readModifyWrite?: {
    readonly from: string;
    readonly keepManagedFields: boolean;
    readonly set?: readonly { readonly path: string; readonly value: unknown }[];
    readonly remove?: readonly string[];
  };
}

export interface RecordedResponse {
  readonly code: number;
  readonly body?: unknown;
  /** Only these pointers of the body are recorded. */
  readonly pick?: Readonly<Record<string, unknown>>;
  readonly contentType?: string;
  readonly warning?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PollCondition {
  readonly code?: number;
  readonly has?: string;
  readonly ptr?: string;
  readonly value?: unknown;
}

export interface RecordedEvent {
  readonly type?: string;
  readonly object: Readonly<Record<string, unknown>>;
}

export interface RecordedStep {
  readonly op: string;
  readonly request?: RecordedRequest;
  readonly response?: RecordedResponse;
  /** Names for values of the answer: a pointer, or `@header`. */
  readonly save?: Readonly<Record<string, string>>;
  readonly poll?: PollCondition;
  readonly ms?: number;
  /** The stream of `watch` and `collect`. */
  readonly id?: string;
  readonly events?: readonly RecordedEvent[];
  readonly ended?: boolean;
  readonly atLeastOneBookmark?: boolean;
}

export interface RecordedCase {
  readonly id: string;
  readonly topic: string;
  readonly steps: readonly RecordedStep[];
}

/** Encoded bodies with the JSON they stand for. */
export interface ProtobufCase {
  readonly id: string;
  readonly json: Record<string, unknown>;
  readonly bytes: Uint8Array;
}

export interface Recorded {
  readonly fixtures: readonly Record<string, unknown>[];
  readonly cases: readonly RecordedCase[];
  readonly protobuf: readonly ProtobufCase[];
}

interface CaseFile {
  readonly topic: string;
  readonly format: string;
  readonly cases: readonly {
    readonly name: string;
    readonly steps: readonly RecordedStep[];
    readonly json: Record<string, unknown>;
    readonly protobuf: string;
  }[];
}

/** Reads every topic of a folder. The id of a case is `file/name`. */
export function readRecorded(folder: string): Recorded {
  const cases: RecordedCase[] = [];
  const protobuf: ProtobufCase[] = [];
  let fixtures: readonly Record<string, unknown>[] = [];
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()) {
    const content: unknown = JSON.parse(readFileSync(join(folder, file), "utf8"));
    const topic = file.slice(0, -".json".length);
    if (topic === "fixtures") {
      // A list of objects by the format.
      fixtures = content as Record<string, unknown>[];
      continue;
    }
    // The format's own shape.
    const parsed = content as CaseFile;
    for (const each of parsed.cases) {
      const id = `${topic}/${each.name}`;
      if (each.protobuf === undefined) cases.push({ id, topic, steps: each.steps });
      else protobuf.push({ id, json: each.json, bytes: Buffer.from(each.protobuf, "base64") });
    }
  }
  return { fixtures, cases, protobuf };
}

/** The definitions that every case may use. */
export function readFixtures(): readonly Record<string, unknown>[] {
  const file = join(import.meta.dirname, "..", "vectors", "apiserver", "fixtures.json");
  // A list of objects by the format.
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>[];
}
