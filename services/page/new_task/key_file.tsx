import { useId, useState } from "preact/hooks";
import { type OrganizationKey, readOrganizationKey } from "../../client/mod.ts";
import { describedBy, FieldFrame } from "../parts/field.tsx";
import { messageFor } from "../parts/loading.tsx";
import { newTask } from "../texts/new_task.ts";

/** The organization's key, to sign with: read here, kept as long as the form is open. */
export function KeyFile({ onKey }: { onKey: (key: OrganizationKey | undefined) => void }) {
  const id = useId();
  const [wrong, setWrong] = useState<string>();
  const help = newTask.signingHelp;

  async function read(file: File | undefined): Promise<void> {
    setWrong(undefined);
    onKey(undefined);
    if (!file) return;
    try {
      onKey(await readOrganizationKey(await file.text()));
    } catch (error) {
      setWrong(messageFor(error));
    }
  }

  return (
    <FieldFrame id={id} label={newTask.signing} help={help} wrong={wrong}>
      <input
        type="file"
        id={id}
        aria-describedby={describedBy(id, { help, wrong })}
        onChange={(event) => void read(event.currentTarget.files?.[0])}
      />
    </FieldFrame>
  );
}
