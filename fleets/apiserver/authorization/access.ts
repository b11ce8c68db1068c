// The question of access, whoever answers it.
import type { UserInfo } from "../../../kube/client/transport.ts";

/** What a user wants to do, in the terms of RBAC. */
export interface AccessRequest {
  readonly user: UserInfo;
  readonly verb: string;
  /** Undefined for a path that is no resource. */
  readonly resource:
    | {
        readonly group: string;
        readonly resource: string;
        readonly subresource: string | undefined;
        readonly namespace: string | undefined;
        readonly name: string | undefined;
      }
    | undefined;
  readonly path: string;
}

export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Decides who may do what. */
export type Authorizer = (request: AccessRequest) => AccessDecision;

/** Everything to everybody who is known. */
export function allowAuthenticated(request: AccessRequest): AccessDecision {
  const known = !request.user.groups.includes("system:unauthenticated");
  return { allowed: known, reason: "" };
}
