// A Git server in its own process, so that its work is not counted as the client's. Prints its URL; ends with its parent.

import { startGitServer } from "../git-server.ts";

const server = await startGitServer({ root: process.argv[2] ?? "." });
process.on("disconnect", () => process.exit(0));
process.send?.(server.url);
