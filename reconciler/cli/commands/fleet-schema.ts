import { fleetScenarioJsonSchema } from "../../../api/fleet-scenario-schema.ts";
import { type Command, EXIT, UsageError } from "../command.ts";

/** `flaghoist fleet schema`. */
export const fleetSchemaCommand: Command = {
  name: "fleet schema",
  usage: "",
  summary: "print the JSON schema of scenarios",
  description:
    "For editors that complete and check YAML by a schema: save it, and name it in the first line of a scenario as '# yaml-language-server: $schema=FILE'.",
  options: {},
  examples: [["fleet schema > fleet-scenario.schema.json", "for '# yaml-language-server: $schema=...' in a scenario"]],
  run: async ({ positionals, io }) => {
    if (positionals.length > 0) throw new UsageError("the schema is one for all scenarios; it takes no file");
    io.out(`${JSON.stringify(fleetScenarioJsonSchema(), undefined, 2)}\n`);
    return EXIT.ok;
  },
};
