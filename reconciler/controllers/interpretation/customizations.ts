// The scripts that users of the fleet wrote, as the loops use them: in place while they are quick, else in a thread.
import type { ResourceInterpreterCustomization } from "../../../api/config.ts";
import { formatApiVersion } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Answers, Question } from "../../interpreter/answers.ts";
import { compileCustomization } from "../../interpreter/customization/compile-customization.ts";
import { CustomizationIndex, type ScriptsChange } from "../../interpreter/customization/customization-index.ts";
import { customizationLevel } from "../../interpreter/customization/customization-level.ts";
import {
  deferringRunner,
  SCRIPT_ASKER,
  type ScriptQuestion,
} from "../../interpreter/customization/deferring-runner.ts";
import { QUICK_LIMITS, THREAD_LIMITS } from "../../interpreter/customization/script-limits.ts";
import { CompiledScripts } from "../../interpreter/customization/script-runner.ts";
import { SlowScripts } from "../../interpreter/customization/slow-scripts.ts";
import { isStop, ScriptThreads } from "../../scripts/script-threads.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { InterpretationChange, LevelProvider } from "./interpretation.ts";

export const CUSTOMIZATION_KIND = ["config.karmada.io/v1alpha1", "ResourceInterpreterCustomization"] as const;

/** The level of ResourceInterpreterCustomizations, kept as they are in the control plane. */
export function startCustomizations(context: ControllerContext): LevelProvider & Controller {
  const { clock, logger, profile } = context;
  const listeners: ((change: InterpretationChange) => void)[] = [];
  const index = new CustomizationIndex();
  const scripts = new CompiledScripts(compileCustomization);
  const slow = new SlowScripts(() => clock.now());
  const threads = new ScriptThreads({ clock, logger, limits: THREAD_LIMITS });

  const customizations = context.informers.of<ResourceInterpreterCustomization>(...CUSTOMIZATION_KIND);
  customizations.subscribe((change) => {
    const { object } = change;
    tell(change.type === "deleted" ? index.delete(object.metadata.name ?? "") : index.set(object));
  });

  function tell(changes: readonly ScriptsChange[]): void {
    if (changes.length === 0) return;
    slow.keepOnly(new Set([...index.all()].map(({ source }) => source)));
    for (const listener of listeners) listener(changeOf(changes));
  }

  /** Once for each way in which it fails, whatever the number of objects: whoever writes scripts looks at them. */
  function tellAuthor({ details, message }: AppError): void {
    const { customization, operation, line, problem } = details;
    const object = customizations.get(undefined, String(customization));
    if (object === undefined) return;
    const place = line === undefined ? "" : `, line ${line}`;
    const words = problem === undefined ? message : `${operation}${place}: ${problem}`;
    context.events.record(subjectOf(object), "Warning", "ScriptFailed", words);
  }

  async function ask(question: Question, signal: AbortSignal): Promise<readonly unknown[]> {
    // Only our runner asks questions of this asker.
    const { script, args, key } = question as ScriptQuestion;
    try {
      const results = await threads.run(script, args, signal);
      slow.noteEnd(script.source, "in a thread");
      return results;
    } catch (error) {
      if (error instanceof AppError && !signal.aborted) {
        const pause = isStop(error) ? slow.noteStop(script.source, key, error) : undefined;
        if (!isStop(error)) slow.noteEnd(script.source, "in a thread");
        if (pause !== undefined) threads.refuse(script.source, pause);
      }
      throw error;
    }
  }

  return {
    levelWith: (answers: Answers) =>
      customizationLevel({
        scripts: index,
        runner: deferringRunner({ scripts, slow, limits: QUICK_LIMITS, answers, now: () => clock.now() }),
        compatibility: profile.compatibility,
        onFailure: profile.compatibility === "karmada" ? undefined : tellAuthor,
      }),
    subscribe: (listener) => {
      listeners.push(listener);
    },
    askers: [{ name: SCRIPT_ASKER, ask }],
    stop: () => threads.close(),
  };
}

function changeOf(changes: readonly ScriptsChange[]): InterpretationChange {
  return {
    concerns: ({ group, version, kind }, operation) =>
      changes.some(
        (change) =>
          change.kind === kind &&
          change.apiVersion === formatApiVersion(group, version) &&
          change.operations.has(operation),
      ),
  };
}
