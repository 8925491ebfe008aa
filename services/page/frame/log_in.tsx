/**
 * The log-in, with the second factor where there is one.
 * @module
 */
import { useState } from "preact/hooks";
import type { LoggedIn } from "../../client/mod.ts";
import { to } from "../routes.ts";
import { client, entered, wasEnded } from "../session/session.ts";
import { texts } from "../texts.ts";
import { Field } from "../parts/field.tsx";
import { messageFor } from "../parts/loading.tsx";
import { QrCode } from "../parts/qr_code.tsx";

const words = texts.logIn;

export function LogInScreen() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState<LoggedIn>();
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setWrong(undefined);
    try {
      const answer = await client.logIn({ username, password, ...(code ? { code } : {}) });
      if (answer.needs === undefined) return await entered();
      setAsked(answer);
    } catch (error) {
      setWrong(messageFor(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="log-in">
      <form onSubmit={submit}>
        <h1>{texts.product}: {words.title}</h1>
        <div role="status">{wasEnded.value && <p class="notice warn">{words.over}</p>}</div>
        <div role="alert">{wrong !== undefined && <p class="notice bad">{wrong}</p>}</div>
        <Field
          label={words.username}
          value={username}
          onValue={setUsername}
          autoComplete="username"
          required
        />
        <Field
          label={words.password}
          type="password"
          value={password}
          onValue={setPassword}
          autoComplete="current-password"
          required
        />
        {asked?.needs === "set-up" && (
          <div class="notice">
            <p>{words.setUp}</p>
            <QrCode text={asked.qrUri} label={words.picture} />
            <p>
              {words.secret}: <code>{asked.secret}</code>
            </p>
          </div>
        )}
        {asked && (
          <Field
            label={words.code}
            help={words.codeHelp}
            value={code}
            onValue={setCode}
            inputMode="numeric"
            autoComplete="one-time-code"
            required
            autoFocus
          />
        )}
        <button type="submit" class="main" disabled={busy}>{words.logIn}</button>
        <p class="ways">
          <a href={to("recover", "password")}>{words.lostPassword}</a>
          <a href={to("recover", "second-factor")}>{words.lostSecondFactor}</a>
        </p>
      </form>
    </main>
  );
}
