import { describe, expect, it } from "vitest";
import { failureOf } from "../../test/failure-of.ts";
import type { ForgeKind } from "./forge.ts";
import { repositoryAddress } from "./repository-address.ts";
import { isAbout } from "./webhooks/webhook-event.ts";

describe("repositoryAddress", () => {
  it.each<[string, ForgeKind, string, string, string]>([
    [
      "https://github.com/octo/shop.git",
      "github",
      "https://api.github.com",
      "octo/shop",
      "https://github.com/octo/shop",
    ],
    [
      "https://user:pass@github.com/octo/shop",
      "github",
      "https://api.github.com",
      "octo/shop",
      "https://github.com/octo/shop",
    ],
    ["git@github.com:octo/shop.git", "github", "https://api.github.com", "octo/shop", "https://github.com/octo/shop"],
    [
      "ssh://git@ssh.github.com:443/octo/shop.git",
      "github",
      "https://api.github.com",
      "octo/shop",
      "https://github.com/octo/shop",
    ],
    [
      "https://acme.ghe.com/octo/shop",
      "github",
      "https://api.acme.ghe.com",
      "octo/shop",
      "https://acme.ghe.com/octo/shop",
    ],
    [
      "https://github.acme.com/octo/shop.git",
      "github",
      "https://github.acme.com/api/v3",
      "octo/shop",
      "https://github.acme.com/octo/shop",
    ],
    [
      "https://gitlab.com/a/b/c/shop.git",
      "gitlab",
      "https://gitlab.com/api/v4",
      "a/b/c/shop",
      "https://gitlab.com/a/b/c/shop",
    ],
    [
      "git@gitlab.acme.com:a/shop.git",
      "gitlab",
      "https://gitlab.acme.com/api/v4",
      "a/shop",
      "https://gitlab.acme.com/a/shop",
    ],
    [
      "https://codeberg.org/octo/shop.git",
      "gitea",
      "https://codeberg.org/api/v1",
      "octo/shop",
      "https://codeberg.org/octo/shop",
    ],
    [
      "https://forgejo.acme.com:3000/octo/shop",
      "gitea",
      "https://forgejo.acme.com:3000/api/v1",
      "octo/shop",
      "https://forgejo.acme.com:3000/octo/shop",
    ],
    [
      "git@bitbucket.org:acme/shop.git",
      "bitbucket-cloud",
      "https://api.bitbucket.org/2.0",
      "acme/shop",
      "https://bitbucket.org/acme/shop",
    ],
    [
      "https://git.acme.com/scm/prj/shop.git",
      "bitbucket-data-center",
      "https://git.acme.com/rest",
      "PRJ/shop",
      "https://git.acme.com/projects/PRJ/repos/shop",
    ],
    [
      "https://git.acme.com/ctx/scm/~ada/shop.git",
      "bitbucket-data-center",
      "https://git.acme.com/ctx/rest",
      "~ada/shop",
      "https://git.acme.com/ctx/users/ada/repos/shop",
    ],
    [
      "ssh://git@bitbucket.acme.com:7999/prj/shop.git",
      "bitbucket-data-center",
      "https://bitbucket.acme.com/rest",
      "PRJ/shop",
      "https://bitbucket.acme.com/projects/PRJ/repos/shop",
    ],
    [
      "https://acme@dev.azure.com/acme/My%20Project/_git/shop",
      "azure-devops",
      "https://dev.azure.com/acme",
      "acme/My Project/shop",
      "https://dev.azure.com/acme/My%20Project/_git/shop",
    ],
    [
      "https://dev.azure.com/acme/_git/shop",
      "azure-devops",
      "https://dev.azure.com/acme",
      "acme/shop/shop",
      "https://dev.azure.com/acme/shop/_git/shop",
    ],
    [
      "git@ssh.dev.azure.com:v3/acme/proj/shop",
      "azure-devops",
      "https://dev.azure.com/acme",
      "acme/proj/shop",
      "https://dev.azure.com/acme/proj/_git/shop",
    ],
    [
      "https://acme.visualstudio.com/DefaultCollection/proj/_git/shop",
      "azure-devops",
      "https://dev.azure.com/acme",
      "acme/proj/shop",
      "https://dev.azure.com/acme/proj/_git/shop",
    ],
    [
      "acme@vs-ssh.visualstudio.com:v3/acme/proj/shop",
      "azure-devops",
      "https://dev.azure.com/acme",
      "acme/proj/shop",
      "https://dev.azure.com/acme/proj/_git/shop",
    ],
    [
      "https://tfs.acme.com:8080/tfs/Coll/proj/_git/shop",
      "azure-devops",
      "https://tfs.acme.com:8080/tfs/Coll",
      "Coll/proj/shop",
      "https://tfs.acme.com:8080/tfs/Coll/proj/_git/shop",
    ],
  ])("finds %s", (clone, kind, apiUrl, path, webUrl) => {
    expect(repositoryAddress(clone)).toEqual({ kind, apiUrl, webUrl, path: path.split("/") });
  });

  it("takes the kind and the base URL of those whose names say nothing", () => {
    const address = repositoryAddress("https://example.com/gitlab/a/shop.git", {
      kind: "gitlab",
      baseUrl: "https://example.com/gitlab/",
    });

    expect(address).toMatchObject({ apiUrl: "https://example.com/gitlab/api/v4", path: ["a", "shop"] });
  });

  it("takes the URL of the API for the base URL", () => {
    const address = repositoryAddress("git@git.acme.com:octo/shop.git", {
      kind: "github",
      baseUrl: "https://git.acme.com/api/v3",
    });

    expect(address).toMatchObject({ apiUrl: "https://git.acme.com/api/v3", webUrl: "https://git.acme.com/octo/shop" });
  });

  it.each([
    ["https://git.acme.com/octo/shop.git", "name it"],
    ["https://github.com/octo", "none of a repository"],
    ["https://github.com/octo/shop/tree/main", "none of a repository"],
    ["https://gitlab.com/octo%2Fother/shop", "none of a repository"],
    ["https://gitlab.com/octo/%zz", "broken percent escape"],
    ["https://dev.azure.com/acme/proj/shop", "it has no /_git/NAME"],
    ["/srv/git/shop", "has no address at a provider"],
    ["file:///srv/git/shop", "has no address at a provider"],
  ])("refuses %s", (clone, why) => {
    const error = failureOf(() => repositoryAddress(clone));

    expect(error.code).toBe("forge-address-unknown");
    expect(error.message).toContain(why);
  });

  it("is what deliveries of the same repository say", () => {
    const address = repositoryAddress("git@github.com:Octo/Shop.git");

    expect(isAbout({ path: "octo/shop", urls: [] }, { repository: address.path.join("/") })).toBe(true);
    expect(isAbout({ path: "octo/shop2", urls: [] }, { repository: address.path.join("/") })).toBe(false);
  });

  it("never shows a password", () => {
    expect(failureOf(() => repositoryAddress("https://ada:hunter2@git.acme.com/a/b")).message).not.toContain("hunter2");
  });
});
