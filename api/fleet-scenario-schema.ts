// The JSON schema of scenario files, for editors: deploy/schemas/fleet-scenario.schema.json. What it cannot say is told by
// `flaghoist fleet validate`.
import { fleetScenarioSchema } from "./fleet-scenario.ts";
import { jsonSchemaOf } from "./json-schema.ts";

export function fleetScenarioJsonSchema(): Record<string, unknown> {
  return jsonSchemaOf(fleetScenarioSchema, "FleetScenario");
}
