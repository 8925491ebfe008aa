/**
 * One task: what was asked, by whom, how far each organization is with it, and what came of it.
 * @module
 */
import type { RunWithTask, Task } from "../../../shared/contract/task.ts";
import { Plain } from "../parts/plain.tsx";
import { Show, useAsked } from "../parts/loading.tsx";
import { Results } from "../results/results.tsx";
import { StatusMark } from "../parts/status.tsx";
import type { ScreenProps } from "../screens.ts";
import { client } from "../session/session.ts";

interface TaskWithRuns {
  task: Task;
  runs: RunWithTask[];
}

export function Screen({ params }: ScreenProps) {
  const id = Number(params.id);
  const asked = useAsked((signal) => askForTask(id, signal), [id]);
  return (
    <Show asked={asked}>
      {({ task, runs }) => (
        <>
          <header>
            <h1>
              <Plain text={task.name} />
            </h1>
            <StatusMark status={task.status} />
          </header>
          <Results task={task} runs={runs} />
        </>
      )}
    </Show>
  );
}

async function askForTask(id: number, signal: AbortSignal): Promise<TaskWithRuns> {
  const [task, runs] = await Promise.all([
    client.tasks.get(id, { signal }),
    client.runs.list({ task_id: id, sort: "id", payload: "none" }, { signal }).all(),
  ]);
  return { task, runs };
}
