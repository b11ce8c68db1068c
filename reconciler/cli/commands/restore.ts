import { resolve } from "node:path";
import { DEFAULT_REVISION_BUMP, restoreBackup } from "../../../fleets/apiserver/storage/restore.ts";
import { systemClock } from "../../../runtime/clock.ts";
import {
  booleanOption,
  type Command,
  DATA_OPTION,
  EXIT,
  type Invocation,
  OUTPUT_OPTION,
  stringOption,
  UsageError,
} from "../command.ts";
import { dataFolderOf } from "../connect.ts";
import { print } from "../output.ts";
import { backupTable } from "./backup.ts";

export const restoreCommand: Command = {
  name: "restore",
  summary: "put a backup of the embedded store back",
  usage: "FILE [--data FOLDER] [--force] [--bump-revision N]",
  description:
    "Checks a backup and puts it into a data folder, for the next 'flaghoist up'. Refused while a server runs on that folder, and when it holds a store already; --force puts the old store aside, into before-restore-TIME in the folder. Revisions do not go back for clients: the counter goes up by --bump-revision, so that watches that saw later revisions get 410 and list again. Objects written after the backup are gone; copies in member clusters follow what the backup says once the server runs.",
  options: {
    ...DATA_OPTION,
    force: { type: "boolean", help: "put a store that is there aside" },
    "bump-revision": {
      type: "string",
      value: "N",
      help: `raise the revision by N, more than was written since the backup (default: ${DEFAULT_REVISION_BUMP})`,
    },
    ...OUTPUT_OPTION,
  },
  examples: [
    ["restore flaghoist.backup", "into ./.flaghoist"],
    ["restore /srv/backup/daily --data /var/lib/flaghoist --force", "keeping the present store aside"],
  ],
  run: async (invocation) => {
    const [file, ...more] = invocation.positionals;
    if (file === undefined || more.length > 0) throw new UsageError("restore what? One backup file");
    const result = restoreBackup(resolve(invocation.io.cwd, file), dataFolderOf(invocation), {
      force: booleanOption(invocation, "force"),
      bumpRevision: bumpOption(invocation),
      nowMs: systemClock.now(),
    });
    print(invocation, result, () =>
      [
        `Restored ${result.backup.file} into ${result.dataFolder}`,
        backupTable(result.backup),
        `The server starts from revision ${result.revision}: clients with older or later ones list again.`,
        ...(result.keptIn === undefined ? [] : [`The store that was there is in ${result.keptIn}`]),
        ...(result.backup.certificates.length > 0
          ? []
          : ["The file holds no certificates: the next start makes new ones, and clients need its kubeconfig."]),
      ].join("\n"),
    );
    return EXIT.ok;
  },
};

function bumpOption(invocation: Invocation): number {
  const text = stringOption(invocation, "bump-revision") ?? String(DEFAULT_REVISION_BUMP);
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--bump-revision takes a whole number, not "${text}"`);
  return Number(text);
}
