// A Git repository behind a real server on loopback, and pushes to it.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { GitFixture } from "../../git-fixture.ts";
import { type GitServer, type GitServerOptions, startGitServer } from "../../git-server.ts";

export interface ServedRepository {
  readonly url: string;
  readonly server: GitServer;
  readonly fixture: GitFixture;
  /** Commits exactly these files on top of what is there and pushes; `undefined` removes one. Answers with the commit. */
  push(message: string, files: Readonly<Record<string, string | undefined>>): string;
  close(): Promise<void>;
}

export async function serveRepository(options: Omit<GitServerOptions, "root"> = {}): Promise<ServedRepository> {
  const fixture = new GitFixture();
  const server = await startGitServer({ ...options, root: fixture.root });
  return {
    url: `${server.url}/repo.git`,
    server,
    fixture,
    push: (message, files) => {
      const written: Record<string, string> = {};
      for (const [path, content] of Object.entries(files)) {
        if (content === undefined) rmSync(join(fixture.work, path));
        else written[path] = content;
      }
      const commit = fixture.commit(message, written);
      fixture.push();
      return commit;
    },
    close: async () => {
      await server.close();
      fixture.remove();
    },
  };
}
