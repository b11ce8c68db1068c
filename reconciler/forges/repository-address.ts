// From the address by which Git fetches a repository to the one by which its provider is asked about it.
import { redactUrl } from "../../sources/redact-url.ts";
import { forgeAddressUnknown } from "./errors.ts";
import type { ForgeKind } from "./forge.ts";

/** What the providers are called. */
export const PROVIDERS: Readonly<Record<ForgeKind, string>> = {
  github: "GitHub",
  gitlab: "GitLab",
  gitea: "Gitea",
  "bitbucket-cloud": "Bitbucket Cloud",
  "bitbucket-data-center": "Bitbucket Data Center",
  "azure-devops": "Azure DevOps",
};

export interface RepositoryAddress {
  readonly kind: ForgeKind;
  /** Without a slash at the end: `https://api.github.com`, `https://git.example.com/api/v4`. */
  readonly apiUrl: string;
  /** Of the repository, for a browser, without a slash at the end. */
  readonly webUrl: string;
  /**
   * GitHub, Gitea: owner and name; GitLab: groups and name; Bitbucket: workspace or project key, and slug; Azure DevOps:
   * organization or collection, project, repository.
   */
  readonly path: readonly string[];
}

export interface AddressOptions {
  /** For hosts that are not known by their name. */
  readonly kind?: ForgeKind | undefined;
  /** Where the provider is installed, when that is not the root of the clone URL's host: `https://example.com/gitlab`. */
  readonly baseUrl?: string | undefined;
}

const PUBLIC_HOSTS: Readonly<Record<string, ForgeKind>> = {
  "github.com": "github",
  "ssh.github.com": "github",
  "gitlab.com": "gitlab",
  "altssh.gitlab.com": "gitlab",
  "bitbucket.org": "bitbucket-cloud",
  "altssh.bitbucket.org": "bitbucket-cloud",
  "dev.azure.com": "azure-devops",
  "ssh.dev.azure.com": "azure-devops",
  "vs-ssh.visualstudio.com": "azure-devops",
  "codeberg.org": "gitea",
  "gitea.com": "gitea",
};

interface ClonePlace {
  /** Absent for ssh: the web has its own scheme and port then. */
  readonly origin: string | undefined;
  readonly host: string;
  readonly user: string;
  /** Decoded, without `.git`. */
  readonly parts: readonly string[];
}

/**
 * Finds the provider and the repository by a clone URL: `https://`, `http://`, `ssh://`, or `git@host:path`.
 * Throws `forge-address-unknown` when the provider has to be named, or the path is none of a repository there.
 */
export function repositoryAddress(cloneUrl: string, options: AddressOptions = {}): RepositoryAddress {
  const place = readCloneUrl(cloneUrl);
  const fail = (why: string) => forgeAddressUnknown(redactUrl(cloneUrl), why);
  const kind = options.kind ?? kindOf(place);
  if (kind === undefined) {
    throw fail(
      "is at a host whose provider is not known: name it (github, gitlab, gitea, bitbucket-data-center, azure-devops)",
    );
  }
  const base = options.baseUrl === undefined ? undefined : readBaseUrl(options.baseUrl);
  const parts = base === undefined ? place.parts : below(base, place.parts);
  const root = base ?? new URL(place.origin ?? `https://${place.host}`);
  switch (kind) {
    case "github": {
      const path = exactly(parts, 2, fail);
      const web =
        base === undefined ? `${root.protocol}//${place.host.replace(/^ssh\./, "")}${portOf(root)}` : plain(root);
      return { kind, apiUrl: githubApi(web), webUrl: join(web, path), path };
    }
    case "gitlab": {
      const path = parts.length >= 2 ? parts : exactly(parts, 2, fail);
      const web = plain(root).replace("//altssh.", "//");
      return { kind, apiUrl: `${web}/api/v4`, webUrl: join(web, path), path };
    }
    case "gitea": {
      const path = exactly(parts, 2, fail);
      return { kind, apiUrl: `${plain(root)}/api/v1`, webUrl: join(plain(root), path), path };
    }
    case "bitbucket-cloud": {
      const path = exactly(parts, 2, fail);
      const web = base === undefined || base.hostname === "api.bitbucket.org" ? "https://bitbucket.org" : plain(root);
      const apiUrl = web === "https://bitbucket.org" ? "https://api.bitbucket.org/2.0" : `${web}/2.0`;
      return { kind, apiUrl, webUrl: join(web, path), path };
    }
    case "bitbucket-data-center":
      return dataCenter(plain(root), parts, fail);
    case "azure-devops":
      return azure(place, base, parts, fail);
  }
}

/** By the host's name, then by what only one provider's addresses look like. */
function kindOf({ host, parts, user }: ClonePlace): ForgeKind | undefined {
  const known = PUBLIC_HOSTS[host];
  if (known !== undefined) return known;
  if (host.endsWith(".visualstudio.com")) return "azure-devops";
  if (host.endsWith(".ghe.com")) return "github";
  if (parts.includes("_git")) return "azure-devops";
  if (parts.at(-3) === "scm") return "bitbucket-data-center";
  const labels = host.split(".");
  if (labels.some((label) => /^gitlab\b/.test(label)) || user === "gitlab") return "gitlab";
  if (labels.some((label) => /^(?:gitea|forgejo|codeberg)\b/.test(label))) return "gitea";
  if (labels.some((label) => /^(?:github|ghe)\b/.test(label))) return "github";
  if (labels.some((label) => /^(?:bitbucket|stash)\b/.test(label))) return "bitbucket-data-center";
  return undefined;
}

function readCloneUrl(text: string): ClonePlace {
  const fail = (why: string) => forgeAddressUnknown(redactUrl(text), why);
  const scp = /^(?:([\w.-]+)@)?([\w.-]+):(?!\/\/)(.+)$/.exec(text);
  if (scp !== null && !text.includes("://")) {
    return {
      origin: undefined,
      host: (scp[2] ?? "").toLowerCase(),
      user: scp[1] ?? "",
      parts: split(scp[3] ?? "", fail),
    };
  }
  const url = URL.parse(text);
  if (url === null || !/^(?:https?|ssh|git\+ssh):$/.test(url.protocol) || url.hostname === "") {
    throw fail("has no address at a provider: pull requests need https://, ssh:// or git@host:path");
  }
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  return {
    origin: isWeb ? url.origin : undefined,
    host: url.hostname.toLowerCase(),
    user: url.username,
    parts: split(url.pathname, fail),
  };
}

function split(pathname: string, fail: (why: string) => Error): readonly string[] {
  const parts = pathname.split("/").filter((part) => part !== "");
  return parts.map((part, index) => {
    let clear: string;
    try {
      clear = decodeURIComponent(part);
    } catch {
      throw fail("has a broken percent escape");
    }
    if (clear === "." || clear === ".." || /[/\\]/.test(clear) || hasControl(clear))
      throw fail("has a path that is none of a repository");
    return index === parts.length - 1 ? clear.replace(/\.git$/, "") : clear;
  });
}

function hasControl(text: string): boolean {
  return Array.from(text).some((char) => char < " " || char === "\u007f");
}

/** The installation's root, also when the API's URL was given. */
function readBaseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw forgeAddressUnknown(redactUrl(text), "is no base URL: it needs https://");
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  url.pathname = url.pathname
    .replace(/\/+$/, "")
    .replace(/\/(?:api\/(?:v[134]|graphql)|rest\/api\/(?:latest|[0-9.]+)|rest|2\.0)$/, "");
  return url;
}

/** The path below the installation: clone URLs of the web hold the path of its root, those of ssh do not. */
function below(base: URL, parts: readonly string[]): readonly string[] {
  const prefix = base.pathname.split("/").filter((part) => part !== "");
  return prefix.length > 0 && prefix.every((part, index) => parts[index] === part) ? parts.slice(prefix.length) : parts;
}

function exactly(parts: readonly string[], count: number, fail: (why: string) => Error): readonly string[] {
  if (parts.length !== count)
    throw fail(
      "has a path that is none of a repository of this provider; set a base URL where it is not installed at the root",
    );
  return parts;
}

function plain(url: URL): string {
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function portOf(url: URL): string {
  return url.port === "" ? "" : `:${url.port}`;
}

function join(web: string, path: readonly string[]): string {
  return [web, ...path.map(encodeURIComponent)].join("/");
}

function githubApi(web: string): string {
  const { hostname, protocol } = new URL(web);
  if (hostname === "github.com" || hostname === "api.github.com") return "https://api.github.com";
  // Enterprise Cloud with data residency.
  if (hostname.endsWith(".ghe.com"))
    return `${protocol}//${hostname.startsWith("api.") ? hostname : `api.${hostname}`}`;
  return `${web}/api/v3`;
}

/** `/scm/KEY/slug.git` on the web, `/KEY/slug.git` by ssh; `~name` for a person's own. */
function dataCenter(root: string, all: readonly string[], fail: (why: string) => Error): RepositoryAddress {
  const at = all.indexOf("scm");
  const web = at > 0 ? join(root, all.slice(0, at)) : root;
  const path = exactly(at >= 0 ? all.slice(at + 1) : all, 2, fail);
  const [key = "", slug = ""] = path;
  const owner = key.startsWith("~")
    ? `users/${encodeURIComponent(key.slice(1))}`
    : `projects/${encodeURIComponent(key.toUpperCase())}`;
  return {
    kind: "bitbucket-data-center",
    apiUrl: `${web}/rest`,
    webUrl: `${web}/${owner}/repos/${encodeURIComponent(slug)}`,
    path: [key.startsWith("~") ? key : key.toUpperCase(), slug],
  };
}

function azure(
  place: ClonePlace,
  base: URL | undefined,
  all: readonly string[],
  fail: (why: string) => Error,
): RepositoryAddress {
  const make = (root: string, path: readonly string[]): RepositoryAddress => {
    const [collection = "", project = "", name = ""] = path;
    const home = collection === "" ? root : join(root, [collection]);
    return {
      kind: "azure-devops",
      apiUrl: home,
      webUrl: `${join(home, [project])}/_git/${encodeURIComponent(name)}`,
      path,
    };
  };
  // git@ssh.dev.azure.com:v3/organization/project/repository
  const isSsh = place.origin === undefined;
  if (isSsh && all[0] === "v3") {
    return make(base === undefined ? "https://dev.azure.com" : plain(base), exactly(all.slice(1), 3, fail));
  }
  const at = all.indexOf("_git");
  const name = all[at + 1];
  if (at < 0 || name === undefined || all.length !== at + 2)
    throw fail("is none of a repository of Azure DevOps: it has no /_git/NAME");
  const before = all.slice(0, at);
  if (place.host.endsWith(".visualstudio.com")) {
    const organization = place.host.split(".")[0] ?? "";
    const project = before.filter((part) => part !== "DefaultCollection")[0] ?? name;
    return make(base === undefined ? "https://dev.azure.com" : plain(base), [organization, project, name]);
  }
  const root = base === undefined ? (place.origin ?? `https://${place.host}`) : plain(base);
  // A repository that is called like its project has an address without it. Servers may be installed below a path
  // (`/tfs`), so the last two parts are the collection and the project.
  if (before.length === 1) return make(root, [before[0] ?? "", name, name]);
  if (before.length < 2) throw fail("names no organization or collection");
  const outer = before.slice(0, -2);
  return make(outer.length === 0 ? root : join(root, outer), [...before.slice(-2), name]);
}
