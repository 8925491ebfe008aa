/**
 * One's second factor, replaced: the password and a code of the present one bring the picture of a
 * new one, and a code of that puts it in place. Who has lost the present one goes by mail.
 * @module
 */
import { useState } from "preact/hooks";
import type { OfferedSecondFactor, OwnSecondFactor } from "../../../shared/contract/password.ts";
import { fieldErrors } from "../administration/form_values.ts";
import { Field } from "../parts/field.tsx";
import { messageFor, Show, useAsked } from "../parts/loading.tsx";
import { QrCode } from "../parts/qr_code.tsx";
import { go, to } from "../routes.ts";
import { client, isSessionEnd, logOut } from "../session/session.ts";
import { me } from "../texts/me.ts";

const words = me.secondFactor;

export function SecondFactor() {
  const asked = useAsked((signal) => client.account.secondFactor({ signal }), []);
  return (
    <section class="card">
      <h2>{words.title}</h2>
      <Show asked={asked}>
        {(state) =>
          state.required ? <Replacing state={state} again={asked.again} /> : <p>{words.none}</p>}
      </Show>
    </section>
  );
}

function Replacing({ state, again }: { state: OwnSecondFactor; again: () => void }) {
  const [offered, setOffered] = useState<OfferedSecondFactor>();
  const [done, setDone] = useState<string>();
  function confirmed(msg: string): void {
    setOffered(undefined);
    setDone(msg);
    again();
  }
  return (
    <>
      <p>{words.help}</p>
      <div role="status">{done !== undefined && <p class="notice good">{done}</p>}</div>
      {offered ? <Confirmation offered={offered} onDone={confirmed} /> : (
        <Proof
          isSet={state.is_set}
          onOffered={(offer) => {
            setDone(undefined);
            setOffered(offer);
          }}
        />
      )}
    </>
  );
}

/** Sends something, and keeps what the hub says against it. */
function useSending() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  async function send(act: () => Promise<void>): Promise<void> {
    setBusy(true);
    setError(undefined);
    try {
      await act();
    } catch (reason) {
      if (!isSessionEnd(reason)) setError(reason);
    } finally {
      setBusy(false);
    }
  }
  return { busy, error, send };
}

function Refusal({ error }: { error: unknown }) {
  return (
    <div role="alert">{error !== undefined && <p class="notice bad">{messageFor(error)}</p>}</div>
  );
}

function Proof(
  { isSet, onOffered }: { isSet: boolean; onOffered: (offer: OfferedSecondFactor) => void },
) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const { busy, error, send } = useSending();
  function submit(event: Event): void {
    event.preventDefault();
    void send(async () =>
      onOffered(
        await client.account.offerSecondFactor({
          current_password: password,
          ...isSet ? { mfa_code: code } : {},
        }),
      )
    );
  }
  // Who has lost it has nothing to put into the form: the hub sends a token by mail, and ends all
  // log-ins then. So one goes out first: the new picture must not vanish with the session.
  async function leave(): Promise<void> {
    await logOut();
    go(to("recover", "second-factor"));
  }
  return (
    <form onSubmit={submit}>
      <Refusal error={error} />
      <Field
        label={me.password.current}
        type="password"
        value={password}
        onValue={setPassword}
        autoComplete="current-password"
        required
      />
      {isSet && (
        <Field
          label={words.code}
          help={words.codeHelp}
          value={code}
          onValue={setCode}
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          wrong={fieldErrors(error).mfa_code}
        />
      )}
      <button type="submit" class="main" disabled={busy}>{words.show}</button>
      {isSet && (
        <p class="lost">
          {words.lost}{" "}
          <button type="button" class="plain" onClick={() => void leave()}>{words.renew}</button>
        </p>
      )}
    </form>
  );
}

function Confirmation({ offered: { qr_uri, otp_secret, ticket }, onDone }: {
  offered: OfferedSecondFactor;
  onDone: (msg: string) => void;
}) {
  const [code, setCode] = useState("");
  const { busy, error, send } = useSending();
  function submit(event: Event): void {
    event.preventDefault();
    void send(async () =>
      onDone((await client.account.confirmSecondFactor({ ticket, mfa_code: code })).msg)
    );
  }
  return (
    <form onSubmit={submit}>
      <Refusal error={error} />
      <p>{words.scan}</p>
      <QrCode text={qr_uri} label={words.picture} />
      <p>
        {words.secret}: <code class="secret">{otp_secret}</code>
      </p>
      <Field
        label={words.fresh}
        value={code}
        onValue={setCode}
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        autoFocus
        wrong={fieldErrors(error).mfa_code}
      />
      <button type="submit" class="main" disabled={busy}>{words.confirm}</button>
    </form>
  );
}
