import { useState } from "preact/hooks";
import { fieldErrors } from "../administration/form_values.ts";
import { Field } from "../parts/field.tsx";
import { messageFor } from "../parts/loading.tsx";
import { NewPassword } from "../parts/new_password.tsx";
import { client, isSessionEnd } from "../session/session.ts";
import { me } from "../texts/me.ts";

const words = me.password;

/** Another password for oneself. */
export function Password() {
  const [current, setCurrent] = useState("");
  const [fresh, setFresh] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [done, setDone] = useState<string>();
  const wrong = fieldErrors(error);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    setDone(undefined);
    try {
      const { msg } = await client.account.changePassword({
        current_password: current,
        new_password: fresh,
      });
      setDone(msg);
      setCurrent("");
      setFresh("");
    } catch (reason) {
      if (!isSessionEnd(reason)) setError(reason);
    } finally {
      setBusy(false);
    }
  }

  return (
    <section class="card">
      <h2>{words.title}</h2>
      <form onSubmit={submit}>
        <p>{words.help}</p>
        <div role="alert">
          {error !== undefined && <p class="notice bad">{messageFor(error)}</p>}
        </div>
        <div role="status">{done !== undefined && <p class="notice good">{done}</p>}</div>
        <Field
          label={words.current}
          type="password"
          value={current}
          onValue={setCurrent}
          autoComplete="current-password"
          required
          wrong={wrong.current_password}
        />
        <NewPassword
          label={words.fresh}
          value={fresh}
          onValue={setFresh}
          wrong={wrong.new_password}
        />
        <button type="submit" class="main" disabled={busy}>{words.change}</button>
      </form>
    </section>
  );
}
