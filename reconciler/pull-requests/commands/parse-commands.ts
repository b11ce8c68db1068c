// What people may write in a comment of a pull request: `/flaghoist plan` and so on, on a line of its own.
import { cleanLine, cutText } from "../../reports/clean-text.ts";
import { plainLines } from "./plain-lines.ts";

/** An object as people name it; the server knows what kind that is. */
export interface NamedObject {
  /** Any of the kind's names: `deployment`, `deploy`, `deployments.apps`. */
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
}

export type PullRequestCommand =
  /** `head`: only if that is the head, by at least seven digits. */
  | { readonly type: "plan"; readonly head: string | undefined }
  /** `hash`: at least `SHORTEST_HASH` digits of a render hash. */
  | { readonly type: "approve"; readonly hash: string | undefined }
  | {
      readonly type: "drift";
      readonly action: "adopt" | "ignore";
      /** Only an adoption may leave it open: everything that drifted then. */
      readonly object: NamedObject | undefined;
      readonly field: string | undefined;
      readonly clusters: readonly string[] | undefined;
    }
  | { readonly type: "help" };

/** Something that begins as a command and is none. */
export interface UnknownCommand {
  readonly type: "unknown";
  readonly text: string;
  /** What to write instead. */
  readonly advice: string;
}

export type GivenCommand = PullRequestCommand | UnknownCommand;

export const COMMAND_WORD = "/flaghoist";
export const SHORTEST_HASH = 12;
const SHORTEST_COMMIT = 7;
/** Further ones of a comment are left aside. */
const MOST_COMMANDS = 5;
/** What stands further down in a comment is left aside. */
const MOST_LENGTH = 65_536;
const LONGEST_COMMAND = 2_000;
const LONGEST_SHOWN = 100;
const MOST_CLUSTERS = 100;

/** Whether there may be a command in it: quick, and true of some that have none. */
export function mayHoldCommands(body: string): boolean {
  return /^\/flaghoist(?!\S)/m.test(body.slice(0, MOST_LENGTH));
}

/** The commands of a comment, in their order: only plain lines (`plainLines`) that begin with the word and a space. */
export function parseCommands(body: string): readonly GivenCommand[] {
  if (!mayHoldCommands(body)) return [];
  return plainLines(body.slice(0, MOST_LENGTH))
    .filter((line) => /^\/flaghoist(?!\S)/.test(line))
    .slice(0, MOST_COMMANDS)
    .map(parseCommand);
}

function parseCommand(line: string): GivenCommand {
  const text = cutText(cleanLine(line).trim(), LONGEST_SHOWN);
  const unknown = (advice: string): UnknownCommand => ({ type: "unknown", text, advice });
  if (line.length > LONGEST_COMMAND) return unknown("a command is one short line; `/flaghoist help` tells them all");
  const [verb = "help", ...words] = line
    .split(/[ \t]+/)
    .filter((word) => word !== "")
    .slice(1);
  switch (verb) {
    case "help":
      return words.length === 0 ? { type: "help" } : unknown("`/flaghoist help` takes nothing more");
    case "plan": {
      const [head, more] = words;
      if (more !== undefined || (head !== undefined && !isHex(head, SHORTEST_COMMIT, 40)))
        return unknown("`/flaghoist plan` takes nothing more than the commit that is meant");
      return { type: "plan", head: head?.toLowerCase() };
    }
    case "approve": {
      const [given, more] = words;
      const hash = given?.replace(/^sha256:/i, "");
      if (more !== undefined || (hash !== undefined && !isHex(hash, SHORTEST_HASH, 64)))
        return unknown(
          `\`/flaghoist approve HASH\` takes the render hash of the plan, at least its first ${SHORTEST_HASH} digits`,
        );
      return { type: "approve", hash: hash?.toLowerCase() };
    }
    case "drift":
      return parseDrift(words) ?? unknown(DRIFT_ADVICE);
    default:
      return unknown(nearest(verb));
  }
}

const DRIFT_ADVICE =
  "write `/flaghoist drift adopt KIND/NAME -n NAMESPACE` or `/flaghoist drift ignore KIND/NAME -n NAMESPACE`, with `--field PATH` or `--clusters A,B` for less";

const VERBS = ["plan", "approve", "drift adopt", "drift ignore", "help"];

function nearest(verb: string): string {
  const wanted = verb.toLowerCase().replace(/[^a-z]/g, "");
  const near = VERBS.find((one) => one === wanted || (wanted.length > 2 && one.split(" ").at(-1)?.startsWith(wanted)));
  return near === undefined ? "`/flaghoist help` tells what there is" : `did you mean \`/flaghoist ${near}\`?`;
}

/** Undefined when it makes no sense. Options as the command line has them. */
function parseDrift([action, ...words]: readonly string[]): PullRequestCommand | undefined {
  if (action !== "adopt" && action !== "ignore") return undefined;
  const options = new Map<string, string>();
  const objects: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      objects.push(word);
      continue;
    }
    const [flag = "", inline] = splitOnce(word, "=");
    const name = OPTIONS.get(flag);
    const value = inline ?? words[++at];
    if (name === undefined || value === undefined || value === "" || value.startsWith("-") || options.has(name))
      return undefined;
    options.set(name, value);
  }
  const object = readObject(objects, options.get("namespace"));
  if (object === "unclear" || (object === undefined && (action === "ignore" || options.size > 0))) return undefined;
  const clusters = options
    .get("clusters")
    ?.split(",")
    .filter((name) => name !== "");
  if (clusters !== undefined && (action === "ignore" || clusters.length === 0 || clusters.length > MOST_CLUSTERS))
    return undefined;
  return { type: "drift", action, object, field: options.get("field"), clusters };
}

const OPTIONS: ReadonlyMap<string, string> = new Map([
  ["-n", "namespace"],
  ["--namespace", "namespace"],
  ["--field", "field"],
  ["-C", "clusters"],
  ["--clusters", "clusters"],
]);

function readObject(words: readonly string[], namespace: string | undefined): NamedObject | undefined | "unclear" {
  const [word, more] = words;
  if (word === undefined) return namespace === undefined ? undefined : "unclear";
  const [kind, name] = splitOnce(word, "/");
  const isName = name !== undefined && /^[\w.:-]{1,253}$/.test(name) && /^[A-Za-z][\w.-]{0,252}$/.test(kind);
  const isNamespace = namespace === undefined || /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace);
  return more === undefined && isName && isNamespace ? { kind, name, namespace } : "unclear";
}

function splitOnce(text: string, sign: string): readonly [before: string, after: string | undefined] {
  const at = text.indexOf(sign);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + sign.length)];
}

function isHex(text: string, least: number, most: number): boolean {
  return text.length >= least && text.length <= most && /^[0-9a-f]+$/i.test(text);
}
