import { databaseIn } from "../../../fleets/apiserver/storage/data-folder.ts";
import { checkStore, type Finding, hasErrors, type StoreReport } from "../../../fleets/apiserver/storage/fsck.ts";
import { type RepairResult, repairStore } from "../../../fleets/apiserver/storage/repair.ts";
import { booleanOption, type Command, DATA_OPTION, EXIT, OUTPUT_OPTION, UsageError } from "../command.ts";
import { dataFolderOf } from "../connect.ts";
import { print } from "../output.ts";

export const fsckCommand: Command = {
  name: "fsck",
  summary: "check the embedded store, and mend it",
  usage: "[--data FOLDER] [--repair]",
  description:
    "Reads the whole store, also while 'flaghoist up' runs, and says what is wrong: damaged pages, objects that are not what was written, that disagree with their key, name or revision, or that share a uid; owners and namespaces that do not exist are only noted. Exit codes: 0 nothing wrong, 1 the check failed, 3 something is wrong. --repair needs the server stopped: it writes what can be read to a new file and keeps the old one as store.db.before-repair. Contents of objects are never printed.",
  options: {
    ...DATA_OPTION,
    repair: { type: "boolean", help: "mend what can be mended, keeping the old file" },
    ...OUTPUT_OPTION,
  },
  examples: [
    ["fsck", "check ./.flaghoist"],
    ["fsck --data /var/lib/flaghoist -o json", "for a monitor"],
    ["fsck --repair", "after stopping the server"],
  ],
  run: async (invocation) => {
    if (invocation.positionals.length > 0) throw new UsageError("fsck takes no arguments; name the folder with --data");
    const path = databaseIn(dataFolderOf(invocation));
    if (!booleanOption(invocation, "repair")) {
      const report = checkStore(path);
      print(invocation, report, () => reportText(report));
      return hasErrors(report) ? EXIT.differences : EXIT.ok;
    }
    const result = repairStore(path);
    print(invocation, result, () => repairText(result));
    return hasErrors(result.after) ? EXIT.differences : EXIT.ok;
  },
};

function reportText(report: StoreReport): string {
  const { path, schema, revision, rows, objects, bytes, findings } = report;
  const errors = findings.filter((finding) => finding.severity === "error").length;
  return [
    ...findings.map(findingLine),
    `${path}: ${objects} objects in ${rows} rows, revision ${revision}, schema ${schema}, ${bytes} bytes`,
    errors === 0 ? "Nothing is wrong." : `${errors} ${errors === 1 ? "thing is" : "things are"} wrong.`,
  ].join("\n");
}

function findingLine({ severity, rule, object, revision, message }: Finding): string {
  const where = object === undefined ? "" : `${object}${revision === undefined ? "" : ` (revision ${revision})`}: `;
  return `${severity.padEnd(5)}  ${rule.padEnd(9)}  ${where}${message}`;
}

function repairText({ before, actions, copy, after }: RepairResult): string {
  if (copy === undefined) return `${reportText(before)}\nNothing had to be mended.`;
  return [...actions, `The old file is ${copy}`, "", reportText(after)].join("\n");
}
