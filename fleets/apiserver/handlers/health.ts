// /healthz, /livez and /readyz, with their single checks, as the reference answers them.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import type { Query } from "../request/query.ts";
import type { ServerContext } from "../server-context.ts";
import { textResponse } from "./answers.ts";

type Endpoint = "healthz" | "livez" | "readyz";

interface Check {
  readonly name: string;
  readonly of: readonly Endpoint[];
  /** A word for what is wrong; undefined when nothing is. It is shown to everybody. */
  readonly problem: (server: ServerContext) => string | undefined;
}

const EVERYWHERE: readonly Endpoint[] = ["healthz", "livez", "readyz"];
const fine = (): undefined => undefined;

function storageProblem(server: ServerContext): string | undefined {
  return server.store.writeRefusal?.code;
}

/** In the order of the reference's list. A restart makes no room on a disk, so livez leaves the storage out. */
const CHECKS: readonly Check[] = [
  { name: "ping", of: EVERYWHERE, problem: fine },
  { name: "log", of: EVERYWHERE, problem: fine },
  // The name that probes of real servers ask for.
  { name: "etcd", of: ["healthz", "readyz"], problem: storageProblem },
  { name: "storage", of: ["healthz", "readyz"], problem: storageProblem },
  { name: "poststarthook/start-controllers", of: EVERYWHERE, problem: fine },
  {
    name: "shutdown",
    of: ["readyz"],
    problem: (server) => (server.draining.aborted ? "the server is shutting down" : undefined),
  },
];

const PATH = /^\/(healthz|livez|readyz)(?:\/(.+))?$/;
const NO_SNIFF = { "x-content-type-options": "nosniff" };

/** The answer for a health path; undefined for other paths and for checks that do not exist. */
export function answerHealth(server: ServerContext, path: string, query: Query): ApiResponse | undefined {
  const match = PATH.exec(path);
  if (match === null) return undefined;
  // The pattern names exactly these.
  const endpoint = match[1] as Endpoint;
  const checks = CHECKS.filter((check) => check.of.includes(endpoint));
  return match[2] === undefined ? answerAll(server, endpoint, checks, query) : answerOne(server, checks, match[2]);
}

function answerOne(server: ServerContext, checks: readonly Check[], name: string): ApiResponse | undefined {
  const check = checks.find((each) => each.name === name);
  if (check === undefined) return undefined;
  const problem = check.problem(server);
  return problem === undefined
    ? textResponse(200, "ok")
    : textResponse(500, `internal server error: ${problem}\n`, NO_SNIFF);
}

function answerAll(server: ServerContext, endpoint: Endpoint, checks: readonly Check[], query: Query): ApiResponse {
  const excluded = new Set(query.getAll("exclude"));
  let failed = false;
  const lines = checks.map(({ name, problem }) => {
    if (excluded.delete(name)) return `[+]${name} excluded: ok\n`;
    if (problem(server) === undefined) return `[+]${name} ok\n`;
    failed = true;
    return `[-]${name} failed: reason withheld\n`;
  });
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(", ");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}\n`);
  }
  if (failed) return textResponse(500, `${lines.join("")}${endpoint} check failed\n`, NO_SNIFF);
  const text = query.has("verbose") ? `${lines.join("")}${endpoint} check passed\n` : "ok";
  return textResponse(200, text, NO_SNIFF);
}
