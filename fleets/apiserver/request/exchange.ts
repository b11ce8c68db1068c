// One request on its way through the server, and its answer.
import type { ApiRequest, ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import type { ServerContext } from "../server-context.ts";
import type { Accepted } from "./negotiation.ts";
import type { Query } from "./query.ts";
import type { ResourcePath } from "./request-info.ts";
import type { RequestTrace } from "./trace.ts";

/** A request for a resource, with all that the verb handlers need. */
export interface Exchange {
  readonly server: ServerContext;
  readonly request: ApiRequest;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly target: ResourcePath;
  readonly kind: KindStrategy;
  readonly user: UserInfo;
  readonly accepted: Accepted;
  /** Texts of `Warning` headers, filled by the handlers. */
  readonly warnings: string[];
  /** What admission adds to the audit record, by key. */
  readonly annotations?: Map<string, string>;
  readonly trace: RequestTrace;
}

/** What a handler answers; the representation is made from it. */
export type Answer =
  | {
      readonly type: "object";
      readonly status: number;
      readonly object: KubeObject;
      readonly bytes?: (() => Buffer) | undefined;
    }
  | { readonly type: "response"; readonly response: ApiResponse };

/** The name under which a request's changes are recorded. */
export function fieldManagerOf(given: string, headers: Readonly<Record<string, string>>): string {
  if (given !== "") return given;
  const agent = (headers["user-agent"] ?? "").split("/")[0]!.trim();
  if (agent === "") return "unknown";
  const printable = agent.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "");
  return Buffer.byteLength(printable) <= 128 ? printable : Buffer.from(printable).subarray(0, 128).toString();
}
