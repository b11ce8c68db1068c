import { isDuration } from "../../../runtime/duration.ts";
import { type Command, EXIT, UsageError } from "../command.ts";
import { FLEET_OPTIONS, withFleet } from "../fleet-connection.ts";

/** `flaghoist fleet advance`. */
export const fleetAdvanceCommand: Command = {
  name: "fleet advance",
  summary: "move the stepped clock of a simulated fleet",
  usage: "DURATION",
  description:
    "Lets so much time pass in a fleet whose clock is stepped ('flaghoist fleet up --clock stepped'), and returns when everything that it brings is done.",
  options: FLEET_OPTIONS,
  examples: [["fleet advance 10m", "ten minutes later"]],
  run: async (invocation) => {
    const [text, ...more] = invocation.positionals;
    if (text === undefined || more.length > 0 || !isDuration(text) || text.startsWith("-"))
      throw new UsageError(
        `by how much? A duration such as 10m${text === undefined ? "" : `, not "${invocation.positionals.join(" ")}"`}`,
      );
    const { now } = await withFleet(invocation, (fleet) =>
      fleet.ask<{ now: string }>("POST", "/fleet/advance", { for: text }),
    );
    invocation.io.out(`${now}\n`);
    return EXIT.ok;
  },
};
