// Every kind of bearer token that one server accepts, asked in turn.
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { OidcIssuer } from "./oidc-issuer.ts";
import { type ServiceAccountTokens, TOKEN_ISSUER, type TokenVerdict } from "./service-account-tokens.ts";

export interface TokenChecks {
  readonly checkToken: (token: string) => UserInfo | undefined | Promise<UserInfo | undefined>;
  readonly reviewToken: (token: string, audiences: readonly string[]) => Promise<TokenVerdict | undefined>;
}

/** `known`: the users of fixed tokens; `bootstrap`: those of bootstrap tokens. Only tokens of `issuers` may need a wait, for their keys. */
export function tokenChecks(
  accounts: ServiceAccountTokens,
  known: ((token: string) => UserInfo | undefined) | undefined,
  issuers: readonly OidcIssuer[],
  bootstrap: (token: string) => UserInfo | undefined = () => undefined,
): TokenChecks {
  function issuerOf(token: string): OidcIssuer | undefined {
    return issuers.find((issuer) => issuer.claims(token));
  }
  return {
    checkToken: (token) =>
      known?.(token) ?? accounts.check(token)?.user ?? bootstrap(token) ?? issuerOf(token)?.check(token),
    async reviewToken(token, audiences) {
      const verdict = accounts.check(token, audiences);
      if (verdict !== undefined) return verdict;
      // Other tokens say nothing of audiences: they are for this server.
      if (!audiences.includes(TOKEN_ISSUER)) return undefined;
      const user = known?.(token) ?? bootstrap(token) ?? (await issuerOf(token)?.check(token));
      return user === undefined ? undefined : { user: withAuthenticated(user), audiences: [TOKEN_ISSUER] };
    },
  };
}

function withAuthenticated(user: UserInfo): UserInfo {
  const group = "system:authenticated";
  return user.groups.includes(group) ? user : { ...user, groups: [...user.groups, group] };
}
