// What a user may do in a Git repository of Azure DevOps: bits in the namespace of security "Git Repositories".
import type { Call, ForgeUser, Permission } from "../forge.ts";
import { type ForgeHttp, path } from "../http/forge-http.ts";
import type { RepositoryHttp } from "../http/repository-http.ts";

const GIT_REPOSITORIES = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87";
const GENERIC_READ = 1 << 1;
const GENERIC_CONTRIBUTE = 1 << 2;
const EDIT_POLICIES = 1 << 11;
const MANAGE_PERMISSIONS = 1 << 13;

const NEEDS = "the scopes vso.identity and vso.security_manage (Identity: read, Security: manage), to ask for others";

/** Asks for the rights that count in the end: a person's own, and those of groups and of the project. */
export class AzurePermissions {
  readonly #rest: RepositoryHttp;
  readonly #identities: ForgeHttp;
  #token: string | undefined;

  constructor(rest: RepositoryHttp, identities: ForgeHttp) {
    this.#rest = rest;
    this.#identities = identities;
  }

  async of(user: ForgeUser, call: Call): Promise<Permission> {
    // Names are not unique over directories.
    if (user.id === undefined) return "none";
    const asked = await this.#identities.send(
      {
        method: "GET",
        path: "/_apis/identities",
        query: { identityIds: user.id },
        what: `look for ${user.name}`,
        needs: NEEDS,
        accept: [404],
      },
      call,
    );
    const identity = asked.status === 404 ? undefined : asked.json.at("value").items()[0];
    const descriptor = identity?.at("descriptor").textOr(undefined);
    if (identity === undefined || descriptor === undefined || identity.at("isActive").value === false) return "none";
    const query = {
      token: await this.#securityToken(call),
      descriptors: descriptor,
      includeExtendedInfo: "true",
      recurse: "false",
    };
    const { json } = await this.#rest.http.send(
      {
        method: "GET",
        path: path("_apis", "accesscontrollists", GIT_REPOSITORIES),
        query,
        what: `ask for the rights of ${user.name}`,
        needs: NEEDS,
      },
      call,
    );
    const entry = json.at("value").items()[0]?.at("acesDictionary", descriptor);
    return permissionOfBits(
      entry?.at("extendedInfo", "effectiveAllow").numberOr(undefined) ?? entry?.at("allow").numberOr(0) ?? 0,
    );
  }

  close(): void {
    this.#identities.close();
  }

  async #securityToken(call: Call): Promise<string> {
    if (this.#token !== undefined) return this.#token;
    const { json } = await this.#rest.send(
      "GET",
      "",
      { what: "read the repository", needs: "the scope vso.code" },
      call,
    );
    this.#token = `repoV2/${json.at("project", "id").text()}/${json.at("id").text()}`;
    return this.#token;
  }
}

/** The most that the bits allow. */
export function permissionOfBits(allow: number): Permission {
  if ((allow & MANAGE_PERMISSIONS) !== 0) return "admin";
  const writes = (allow & GENERIC_CONTRIBUTE) !== 0;
  if (writes && (allow & EDIT_POLICIES) !== 0) return "maintain";
  if (writes) return "write";
  return (allow & GENERIC_READ) !== 0 ? "read" : "none";
}
