// What a command said and how it ended, as a text that people review: one block a command.
//
//     $ kubectl get configmap nothing
//     ! Error from server (NotFound): configmaps "nothing" not found
//     = 1
//
// Lines of standard output begin with `| `, of standard error with `! `; the exit code is left out when it is 0.

export interface Exchange {
  readonly command: string;
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

function prefixed(prefix: string, text: string): string {
  return text === ""
    ? ""
    : text
        .split("\n")
        .map((line) => `${prefix} ${line}`.trimEnd())
        .join("\n")
        .concat("\n");
}

/** One block of a transcript. */
export function formatExchange({ command, out, err, code }: Exchange): string {
  return `$ ${command}\n${prefixed("|", out)}${prefixed("!", err)}${code === 0 ? "" : `= ${code}\n`}`;
}

/** The blocks of a transcript by their commands, in order. Lines before the first command are notes and are left out. */
export function splitTranscript(text: string): { readonly command: string; readonly block: string }[] {
  return text
    .split(/^(?=\$ )/m)
    .filter((block) => block.startsWith("$ "))
    .map((block) => ({ command: block.slice(2, block.indexOf("\n")), block: `${block.trimEnd()}\n` }));
}
