// A repository at a host: Git over a real server, and beside it what the host answers about pull requests and issues.
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KubeObject } from "../../../kube/object.ts";
import type { GitServerOptions } from "../../git-server.ts";
import { type ServedRepository, serveRepository } from "./repository.ts";

/** Where the hosts of the tests have it: Gitea and GitHub, Bitbucket Data Center, and GitLab. */
export const HOSTED_PATHS = { octo: "octo/shop.git", bitbucket: "prj/shop.git", gitlab: "group/sub/shop.git" } as const;

/** A repository that is served below the paths that hosts give it as well; `url` is that of the first. */
export async function serveHostedRepository(options: Omit<GitServerOptions, "root"> = {}): Promise<ServedRepository> {
  const served = await serveRepository(options);
  for (const path of Object.values(HOSTED_PATHS)) {
    const link = join(served.fixture.root, path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(served.fixture.bare, link);
  }
  return { ...served, url: `${served.server.url}/${HOSTED_PATHS.octo}` };
}

export function reporter(namespace: string, name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Reporter",
    metadata: { name, namespace },
    spec: { sourceRef: { kind: "GitRepository", name }, secretRef: { name: "bot" }, ...spec },
  };
}
