import { CUSTOMIZATION_OPERATIONS, type ResourceInterpreterCustomization } from "../../../api/config.ts";
import type { AggregatedStatusItem } from "../../../api/work.ts";
import { gvkOf, isObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339, systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import {
  checkCustomizations,
  type GivenCustomization,
  isCustomization,
  isFlawless,
} from "../../interpreter/customization/check-customizations.ts";
import {
  checkCustomizationScript,
  compileCustomization,
} from "../../interpreter/customization/compile-customization.ts";
import { CustomizationIndex } from "../../interpreter/customization/customization-index.ts";
import { customizationLevel } from "../../interpreter/customization/customization-level.ts";
import { COMMAND_LIMITS } from "../../interpreter/customization/script-limits.ts";
import { CompiledScripts, inPlaceRunner } from "../../interpreter/customization/script-runner.ts";
import { type Interpreter, type InterpreterOperation, NOTHING_REPORTED } from "../../interpreter/interpreter.ts";
import { createInterpreter } from "../../interpreter/levels.ts";
import { builtInLevels } from "../../interpreter/standard-interpreter.ts";
import { checkText, type NamedResult, resultsText } from "../../reports/interpret-text.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
  stringOption,
  UsageError,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { readInputDocuments } from "../input-files.ts";
import { print } from "../output.ts";

const OPERATIONS = CUSTOMIZATION_OPERATIONS.map(({ operation }) => operation);

export const interpretCommand: Command = {
  name: "interpret",
  summary: "check customizations of the interpreter, and run them on files",
  usage: "[NAME...] [-f FILE] --check | --operation OPERATION [--observed-file FILE] ...",
  description:
    "Works as 'karmadactl interpret'. With --check it says of each ResourceInterpreterCustomization whether its scripts can be loaded, define the function that is called, and do not answer what another one answers. With --operation it runs that operation on objects from files and prints the answer as YAML. Customizations come from files (-f) and, by NAME, from the control plane; without any, the rules that are built in answer. Who answered is told on standard error. FILE is a file, a folder, an address or - for standard input. There is no --edit: 'kubectl edit' does it, with the same checks.",
  options: {
    filename: { type: "string", short: "f", multiple: true, value: "FILE", help: "customizations" },
    recursive: { type: "boolean", short: "R", help: "also folders inside the folders given with -f" },
    check: { type: "boolean", help: "check the customizations; exit code 1 when one has an error" },
    operation: { type: "string", value: "OPERATION", help: OPERATIONS.join(", ") },
    "desired-file": { type: "string", value: "FILE", help: "the object as it is wanted" },
    "observed-file": { type: "string", value: "FILE", help: "the object as it is in a cluster" },
    "status-file": { type: "string", value: "FILE", help: "for AggregateStatus: the items of status.aggregatedStatus" },
    "desired-replica": { type: "string", value: "N", help: "for ReviseReplica: the replicas" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["interpret -f machine.yaml --check", "whether the scripts can be used"],
    ["interpret -f machine.yaml --operation interpretHealth --observed-file press.yaml", "what one says of an object"],
    [
      "interpret -f machine.yaml --operation retain --desired-file new.yaml --observed-file old.yaml",
      "what a cluster keeps",
    ],
    [
      "interpret -f machine.yaml --operation aggregateStatus --observed-file press.yaml --status-file items.yaml",
      "what copies add up to",
    ],
    ["interpret --operation interpretReplica --observed-file deployment.yaml", "what the built-in rules say"],
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const isCheck = booleanOption(invocation, "check");
  const operation = operationOption(invocation);
  if (isCheck && operation !== undefined) throw new UsageError("take either --check or --operation");
  const files = listOption(invocation, "filename");
  refuseSecondInput(invocation, files);
  const documents = await customizationsOf(invocation, files);
  if (isCheck) return check(invocation, documents);
  if (operation === undefined) throw new UsageError("say --check, or which --operation to run");
  return execute(invocation, operation, documents);
}

function check(invocation: Invocation, documents: readonly GivenCustomization[]): ExitCode {
  if (documents.length === 0) throw new UsageError("name customizations, by -f FILE or from the control plane");
  const checked = checkCustomizations(documents, checkCustomizationScript);
  print(invocation, { items: checked }, () => checkText(checked));
  return checked.every(isFlawless) ? EXIT.ok : EXIT.failed;
}

async function execute(
  invocation: Invocation,
  operation: InterpreterOperation,
  documents: readonly GivenCustomization[],
): Promise<ExitCode> {
  const customizations = documents.map(usable);
  const question = await questionOf(invocation, operation);
  const { interpreter, answeredBy } = whoAnswers(operation, question.object, customizations);
  const results = answer(interpreter, operation, question);
  print(invocation, { operation, answeredBy, results: dataOf(results) }, () => {
    invocation.io.err(`answered by ${answeredBy}\n`);
    return resultsText(results);
  });
  return EXIT.ok;
}

/** Of what is asked; `object` alone but for Retain. */
interface InterpretQuestion {
  readonly object: KubeObject;
  readonly observed?: KubeObject;
  readonly replicas: number;
  readonly items: readonly AggregatedStatusItem[];
}

async function questionOf(invocation: Invocation, operation: InterpreterOperation): Promise<InterpretQuestion> {
  const desired = await objectOption(invocation, "desired-file");
  const observed = await objectOption(invocation, "observed-file");
  const replicas = replicasOption(invocation, operation);
  const items = await itemsOption(invocation);
  if (operation === "Retain") {
    if (desired === undefined || observed === undefined)
      throw new UsageError("Retain takes --desired-file and --observed-file");
    return { object: desired, observed, replicas, items };
  }
  if (desired !== undefined && observed !== undefined)
    throw new UsageError(`${operation} takes one object: --desired-file or --observed-file`);
  const object = desired ?? observed;
  if (object === undefined) throw new UsageError("name the object with --desired-file or --observed-file");
  return { object, replicas, items };
}

interface Answerer {
  readonly interpreter: Interpreter;
  /** In words. */
  readonly answeredBy: string;
}

/** The customizations alone where there are some: the built-in rules would hide that they say nothing. */
function whoAnswers(
  operation: InterpreterOperation,
  object: KubeObject,
  customizations: readonly ResourceInterpreterCustomization[],
): Answerer {
  const gvk = gvkOf(object);
  const kind = `${object.apiVersion} ${object.kind}`;
  const builtIn = builtInLevels("flaghoist");
  if (customizations.length === 0) {
    const interpreter = createInterpreter(builtIn);
    if (!interpreter.hookEnabled(gvk, operation)) throw notEnabled(operation, `no built-in rule has it for ${kind}`);
    const isShipped = builtIn.thirdParty?.hookEnabled(gvk, operation) === true;
    const rules = isShipped ? "well-known custom resources" : "the kinds of Kubernetes";
    return { interpreter, answeredBy: `the built-in rules for ${rules}` };
  }
  const scripts = new CustomizationIndex(customizations);
  const names = scripts.scripts(gvk, operation).map(({ customization }) => customization);
  if (names.length === 0) throw notEnabled(operation, `no customization given has it for ${kind}`);
  const runner = inPlaceRunner(new CompiledScripts(compileCustomization), COMMAND_LIMITS, () => systemClock.now());
  const customization = customizationLevel({ scripts, runner, compatibility: "flaghoist" });
  return {
    interpreter: createInterpreter({ customization, native: builtIn.native }),
    answeredBy: `ResourceInterpreterCustomization ${names.join(", ")}`,
  };
}

function answer(interpreter: Interpreter, operation: InterpreterOperation, question: InterpretQuestion): NamedResult[] {
  const { object, observed, replicas, items } = question;
  switch (operation) {
    case "InterpretReplica": {
      const demand = interpreter.getReplicas(object);
      return [
        { name: "replica", value: demand.replicas },
        { name: "requires", value: demand.requirements ?? null },
      ];
    }
    case "InterpretComponent":
      return [{ name: "components", value: interpreter.getComponents(object) }];
    case "ReviseReplica":
      return [{ name: "revised", value: interpreter.reviseReplica(object, replicas) }];
    case "Retain":
      return [{ name: "retained", value: interpreter.retain(object, observed ?? object) }];
    case "InterpretStatus":
      return [{ name: "status", value: interpreter.reflectStatus(object) ?? null }];
    case "InterpretHealth":
      return [{ name: "healthy", value: interpreter.interpretHealth(object) }];
    case "InterpretDependency":
      return [{ name: "dependencies", value: interpreter.getDependencies(object) }];
    case "AggregateStatus": {
      const aggregated = interpreter.aggregateStatus(object, items, rfc3339(systemClock.now()));
      return [{ name: "aggregatedStatus", value: aggregated }];
    }
  }
}

function dataOf(results: readonly NamedResult[]): object {
  return Object.fromEntries(results.map(({ name, value }) => [name, value]));
}

function notEnabled(operation: InterpreterOperation, reason: string): AppError {
  return new AppError("rule-not-enabled", `${operation}: rule is not enabled: ${reason}`, { recovery: "stall" });
}

function usable({ value, origin }: GivenCustomization): ResourceInterpreterCustomization {
  if (isCustomization(value)) return value;
  const [checked] = checkCustomizations([{ value, origin }], checkCustomizationScript);
  const problem = checked?.problems.join("; ") ?? "";
  throw new AppError("customization-invalid", `${origin}: ${problem}`, { recovery: "stall" });
}

async function customizationsOf(invocation: Invocation, files: readonly string[]): Promise<GivenCustomization[]> {
  const found: GivenCustomization[] = [];
  const recursive = booleanOption(invocation, "recursive");
  for (const file of files) found.push(...(await readInputDocuments(invocation, file, recursive)));
  if (files.length > 0 && found.length === 0)
    throw new AppError("input-unreadable", `there is no object in ${files.join(", ")}`, { recovery: "stall" });
  const names = invocation.positionals;
  if (names.length === 0) return found;
  return withControlPlane(invocation, async ({ client }) => {
    for (const name of names) {
      const ref = { apiVersion: "config.karmada.io/v1alpha1", kind: "ResourceInterpreterCustomization", name };
      found.push({ value: await client.get({ ...ref, namespace: undefined }), origin: name });
    }
    return found;
  });
}

async function objectOption(invocation: Invocation, name: string): Promise<KubeObject | undefined> {
  const file = stringOption(invocation, name);
  if (file === undefined) return undefined;
  const [document, ...more] = await readInputDocuments(invocation, file);
  if (document === undefined || more.length > 0)
    throw new AppError(
      "input-unreadable",
      `${file} holds ${more.length + (document === undefined ? 0 : 1)} objects; --${name} takes one`,
      {
        recovery: "stall",
      },
    );
  const { value, origin } = document;
  const isWhole =
    isObject(value) &&
    typeof value["apiVersion"] === "string" &&
    typeof value["kind"] === "string" &&
    value["kind"] !== "";
  if (!isWhole)
    throw new AppError("input-unreadable", `${origin}: no object with apiVersion and kind`, { recovery: "stall" });
  // Rules look at the rest themselves; metadata they may rely on.
  return { ...value, metadata: isObject(value["metadata"]) ? value["metadata"] : {} } as unknown as KubeObject;
}

/** Documents of one item each, or lists of them; what a binding has in status.aggregatedStatus can be pasted. */
async function itemsOption(invocation: Invocation): Promise<readonly AggregatedStatusItem[]> {
  const file = stringOption(invocation, "status-file");
  if (file === undefined) return NOTHING_REPORTED;
  return (await readInputDocuments(invocation, file)).flatMap(({ value, origin }) =>
    (Array.isArray(value) ? value : [value]).map((item: unknown) => {
      if (isObject(item) && typeof item["clusterName"] === "string") return item as unknown as AggregatedStatusItem;
      throw new AppError("input-unreadable", `${origin}: no item with clusterName, status, applied and health`, {
        recovery: "stall",
      });
    }),
  );
}

function operationOption(invocation: Invocation): InterpreterOperation | undefined {
  const text = stringOption(invocation, "operation");
  if (text === undefined) return undefined;
  const found = OPERATIONS.find((operation) => operation.toLowerCase() === text.toLowerCase());
  if (found === undefined)
    throw new UsageError(`operation ${text} is not supported. Use one of: ${OPERATIONS.join(", ")}`);
  return found;
}

function replicasOption(invocation: Invocation, operation: InterpreterOperation): number {
  const text = stringOption(invocation, "desired-replica");
  if (text !== undefined && !/^\d{1,9}$/.test(text))
    throw new UsageError(`--desired-replica takes a number, not "${text}"`);
  if (text === undefined && operation === "ReviseReplica")
    throw new UsageError("ReviseReplica takes --desired-replica");
  return Number(text ?? 0);
}

function listOption(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.values[name];
  return Array.isArray(value) ? value : [];
}

function refuseSecondInput(invocation: Invocation, files: readonly string[]): void {
  const places = [
    ...files,
    ...["desired-file", "observed-file", "status-file"].map((name) => stringOption(invocation, name)),
  ];
  if (places.filter((place) => place === "-").length > 1) throw new UsageError("standard input can be named once");
}
