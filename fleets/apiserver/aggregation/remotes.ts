// Group-versions that other servers serve, as the parts of this server see them.
import type { ApiRequest, ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import type { JsonObject } from "../../../kube/object.ts";
import type { ApiServiceSpec } from "./api-service.ts";

/** Undefined: the server has none, or none was read yet. What was read stays while the server is away. */
export interface RemoteDocuments {
  readonly v2: { readonly etag: string; readonly definitions: JsonObject } | undefined;
  readonly v3: { readonly url: string; readonly hash: string; readonly body: string } | undefined;
}

export interface RemoteService {
  /** `v1.example.org` */
  readonly name: string;
  readonly spec: ApiServiceSpec;
  readonly available: boolean;
  /** Entries of its APIResourceList, as last read; undefined while none was. */
  readonly resources: readonly JsonObject[] | undefined;
  readonly documents: RemoteDocuments;
}

export interface Remotes {
  /** Grows when what the other servers offer changes. */
  readonly generation: number;
  all(): readonly RemoteService[];
  /** The one whose group-version a path lies under, that of discovery included. */
  ofPath(path: string): RemoteService | undefined;
  /** Passes a request on; the user has been authorised. */
  answer(service: RemoteService, request: ApiRequest, user: UserInfo): Promise<ApiResponse>;
}
