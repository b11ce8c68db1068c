// Reads the file of --scheduler-config; whatever is wrong there is told with its line and field.
import { type SchedulerConfiguration, schedulerConfigurationSchema } from "../../api/scheduler-configuration.ts";
import { schemaProblems, withoutNulls } from "../../api/schema-problems.ts";
import { isObject } from "../../kube/object.ts";
import { parseYaml, parseYamlNodes } from "../../kube/yaml.ts";
import { positionOfField } from "../../kube/yaml-position.ts";
import { isDuration } from "../../runtime/duration.ts";
import { AppError } from "../../runtime/errors.ts";
import { BUILT_IN_PLUGINS, unknownPlugin } from "../scheduler/enabled-plugins.ts";

interface Problem {
  /** `plugins.modules[0].path`; empty for the file itself. */
  readonly field: string;
  readonly words: string;
}

/** What the text says. Throws `scheduler-config-invalid` with every problem as `FILE:LINE: FIELD WORDS`. */
export function readSchedulerConfiguration(text: string, file: string): SchedulerConfiguration {
  const value = parseYaml(text, { file });
  const problems = isObject(value) ? findProblems(value) : [{ field: "", words: "the file must hold one object" }];
  if (problems.length === 0) {
    // The schema found nothing wrong with it.
    return withoutNulls(value, schedulerConfigurationSchema) as SchedulerConfiguration;
  }
  const [document] = parseYamlNodes(text, { file });
  const lines = problems.map(({ field, words }) => {
    const line = document === undefined ? 1 : positionOfField(text, document.node, field).line;
    return `${file}:${line}: ${field === "" ? "" : `${field} `}${words}`;
  });
  throw new AppError("scheduler-config-invalid", lines.join("\n"), { recovery: "stall", details: { file } });
}

function findProblems(value: Readonly<Record<string, unknown>>): readonly Problem[] {
  const problems = schemaProblems(schedulerConfigurationSchema, value);
  return problems.length > 0 ? problems : findContradictions(value as unknown as SchedulerConfiguration);
}

function findContradictions({ plugins }: SchedulerConfiguration): readonly Problem[] {
  const modules = plugins?.modules ?? [];
  const problems: Problem[] = [];
  const known = [...BUILT_IN_PLUGINS];
  for (const [index, { name, timeout }] of modules.entries()) {
    const field = `plugins.modules[${index}]`;
    if (known.includes(name)) problems.push({ field: `${field}.name`, words: `"${name}" is taken by another plugin` });
    known.push(name);
    if (timeout != null && !(isDuration(timeout) && /[1-9]/.test(timeout) && !timeout.startsWith("-"))) {
      problems.push({ field: `${field}.timeout`, words: `"${timeout}" is not a duration such as 100ms or 2s` });
    }
  }
  for (const [index, entry] of (plugins?.enabled ?? []).entries()) {
    const words = unknownPlugin([entry], known);
    if (words !== undefined) problems.push({ field: `plugins.enabled[${index}]`, words });
  }
  return problems;
}
