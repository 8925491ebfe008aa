/**
 * The form of a task in one collaboration.
 * @module
 */
import { useState } from "preact/hooks";
import { ApiError, KeyChangedError } from "../../client/mod.ts";
import { ChangedKey } from "../keys/changed_key.tsx";
import { isKeeping } from "../parts/browser_storage.ts";
import { messageFor } from "../parts/loading.tsx";
import { KeyPanel } from "../results/key_panel.tsx";
import { signingKey } from "../results/opener.ts";
import { go, to } from "../routes.ts";
import { client, isSessionEnd } from "../session/session.ts";
import { HUB_URL } from "../session/tokens.ts";
import { keys } from "../texts/keys.ts";
import { newTask as words } from "../texts/new_task.ts";
import { type There, troubleAt } from "./draft.ts";
import type { Earlier } from "./earlier_task.ts";
import { AboutSection, AlgorithmSection, ArgumentsSection, WhereSection } from "./sections.tsx";
import { Summary } from "./summary.tsx";
import { beginning, deriveDraft, type Draft } from "./task_draft.ts";

export function TaskForm({ there, earlier }: { there: There; earlier: Earlier | undefined }) {
  const [draft, setDraft] = useState(() => beginning(there, earlier));
  const [sent, setSent] = useState<"no" | "checked" | "busy">("no");
  const [refusal, setRefusal] = useState<unknown>();
  /** Of an organization that the task is for, and about which somebody is asked. */
  const [changedKey, setChangedKey] = useState<KeyChangedError>();
  const change = (some: Partial<Draft>) => setDraft((before) => ({ ...before, ...some }));
  const derived = deriveDraft(draft, there);
  const { task, isGood, going, question } = derived;
  const parts = { draft, derived, there, change, isChecked: sent !== "no" };
  const { collaboration, me } = there;
  const own = there.sites.map(({ organization }) => organization)
    .find(({ id }) => id === me.organizationId);
  const sites = going.map((site) => ({ ...site, trouble: troubleAt(site, question) }));

  async function submit(event?: Event): Promise<void> {
    event?.preventDefault();
    setRefusal(undefined);
    if (!isGood) return setSent("checked");
    setSent("busy");
    try {
      const { id } = await client.post(
        { ...task, ...asStoresSeeUs(task) },
        collaboration.encrypted ? { key: signingKey() } : {},
      );
      go(to("tasks", id));
    } catch (error) {
      if (error instanceof KeyChangedError) setChangedKey(error);
      if (!isSessionEnd(error)) setRefusal(error);
      setSent("checked");
    }
  }

  return (
    <form class="new-task" onSubmit={submit} noValidate>
      <AlgorithmSection {...parts} />
      <ArgumentsSection {...parts} />
      <WhereSection {...parts} />
      <AboutSection {...parts} />
      {collaboration.encrypted && own && (
        <KeyPanel
          purpose="sign"
          reader={own}
          organizations={there.sites.map(({ organization }) => organization)}
        />
      )}
      {collaboration.encrypted && !isKeeping.value && <p class="notice warn">{keys.notKept}</p>}
      <Summary
        image={task.image}
        method={question.method}
        asksOthers={derived.method?.rounds}
        sites={sites}
      />
      <div role="alert">
        {sent === "checked" && !isGood && <p class="notice bad">{words.wrong}</p>}
        {refusal !== undefined && <Refusal error={refusal} />}
      </div>
      <button type="submit" class="main" disabled={sent === "busy"}>
        {sites.some(({ trouble }) => trouble.length > 0) ? words.sendAnyway : words.send}
      </button>
      {changedKey && (
        <ChangedKey
          key={changedKey.organization.id}
          change={changedKey}
          accept={keys.acceptAndSend}
          onAccepted={() => void submit()}
          onClose={() => setChangedKey(undefined)}
        />
      )}
    </form>
  );
}

/** A store asks this hub who is asking, at the address that the browser knows it by. */
function asStoresSeeUs({ storeId }: { storeId?: number | undefined }): { serverUrl?: string } {
  return storeId === undefined ? {} : { serverUrl: `${HUB_URL}/api` };
}

function Refusal({ error }: { error: unknown }) {
  const fields = error instanceof ApiError ? Object.entries(error.errors) : [];
  return (
    <div class="notice bad">
      <p>{messageFor(error)} {error instanceof KeyChangedError && keys.notSent}</p>
      {fields.map(([field, all]) => <p key={field}>{field}: {all.join("; ")}</p>)}
    </div>
  );
}
