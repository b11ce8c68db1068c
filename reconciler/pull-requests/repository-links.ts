// Where places of a repository can be looked at in a browser.
import type { ForgeKind } from "../forges/forge.ts";
import { repositoryPath } from "../reports/annotations.ts";
import type { ReportLinks } from "../reports/markdown/style.ts";

/** Links to files and commits of the repository at `url`, as its provider writes them; files as they are at `head`. */
export function repositoryLinks(kind: ForgeKind, url: string, head: string): Pick<ReportLinks, "place" | "commit"> {
  return {
    place: ({ file, line, commit = head }) => {
      const path = repositoryPath(file);
      return path === undefined || !isCommit(commit) ? undefined : placeUrl(kind, url, { path, line, commit });
    },
    commit: (commit) => (isCommit(commit) ? `${url}/${COMMITS[kind]}/${commit}` : undefined),
  };
}

const COMMITS: Readonly<Record<ForgeKind, string>> = {
  github: "commit",
  gitlab: "-/commit",
  gitea: "commit",
  "bitbucket-cloud": "commits",
  "bitbucket-data-center": "commits",
  "azure-devops": "commit",
};

function isCommit(text: string): boolean {
  return /^[0-9a-f]{7,64}$/.test(text);
}

interface Line {
  readonly path: string;
  readonly line: number | undefined;
  readonly commit: string;
}

function placeUrl(kind: ForgeKind, url: string, { line, commit, ...place }: Line): string {
  const path = place.path.split("/").map(encodeURIComponent).join("/");
  const anchor = (prefix: string) => (line === undefined ? "" : `#${prefix}${line}`);
  switch (kind) {
    case "github":
      return `${url}/blob/${commit}/${path}${anchor("L")}`;
    case "gitlab":
      return `${url}/-/blob/${commit}/${path}${anchor("L")}`;
    case "gitea":
      return `${url}/src/commit/${commit}/${path}${anchor("L")}`;
    case "bitbucket-cloud":
      return `${url}/src/${commit}/${path}${anchor("lines-")}`;
    case "bitbucket-data-center":
      return `${url}/browse/${path}?at=${commit}${anchor("")}`;
    case "azure-devops": {
      const lines = line === undefined ? "" : `&line=${line}&lineEnd=${line}&lineStartColumn=1&lineEndColumn=200`;
      return `${url}?path=${encodeURIComponent(`/${place.path}`)}&version=GC${commit}${lines}`;
    }
  }
}
