/**
 * The ways back in for who has lost the password or the second factor: by a token from the mail.
 * Tokens are typed, not part of an address, which browsers would remember.
 * @module
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { client } from "../session/session.ts";
import { Field } from "../parts/field.tsx";
import { messageFor } from "../parts/loading.tsx";
import { NewPassword } from "../parts/new_password.tsx";
import { QrCode } from "../parts/qr_code.tsx";
import { texts } from "../texts.ts";

const words = texts.recovery;

/** What can be lost, by the last part of the address: `#/recover/password`. */
export const LOST = { "password": LostPassword, "second-factor": LostSecondFactor } as const;

/** A step: what is sent, what the hub says to it, and what it refuses. */
function useStep(): {
  busy: boolean;
  said: string | undefined;
  wrong: string | undefined;
  take: (act: () => Promise<string | undefined>) => Promise<void>;
} {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  async function take(act: () => Promise<string | undefined>): Promise<void> {
    setBusy(true);
    setWrong(undefined);
    try {
      setSaid(await act());
    } catch (error) {
      setWrong(messageFor(error));
    } finally {
      setBusy(false);
    }
  }
  return { busy, said, wrong, take };
}

/** Somebody by their name or their address, as the API wants it. */
function namedBy(text: string): { username: string } | { email: string } {
  return text.includes("@") ? { email: text } : { username: text };
}

function LostPassword() {
  const { busy, said, wrong, take } = useStep();
  const [hasToken, setHasToken] = useState(false);
  const [isSet, setIsSet] = useState(false);
  const [name, setName] = useState("");
  const [token, setToken] = useState("");
  const [password, setPassword] = useState("");

  function submit(event: Event): void {
    event.preventDefault();
    void take(async () => {
      if (!hasToken) {
        const { msg } = await client.account.lostPassword(namedBy(name));
        setHasToken(true);
        return msg;
      }
      const { msg } = await client.account.resetPassword({ reset_token: token, password });
      setIsSet(true);
      return msg;
    });
  }

  return (
    <Step {...{ said, wrong }} title={words.password} help={words.passwordHelp}>
      {isSet ? null : (
        <form onSubmit={submit}>
          {hasToken
            ? (
              <>
                <Token value={token} onValue={setToken} />
                <NewPassword label={words.fresh} value={password} onValue={setPassword} />
                <button type="submit" class="main" disabled={busy}>{words.set}</button>
              </>
            )
            : (
              <>
                <Field
                  label={words.nameOrMail}
                  value={name}
                  onValue={setName}
                  autoComplete="username"
                  required
                  autoFocus
                />
                <Send busy={busy} onHave={() => setHasToken(true)} />
              </>
            )}
        </form>
      )}
    </Step>
  );
}

function LostSecondFactor() {
  const { busy, said, wrong, take } = useStep();
  const [hasToken, setHasToken] = useState(false);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [token, setToken] = useState("");
  const [factor, setFactor] = useState<{ qr_uri: string; otp_secret: string }>();

  function submit(event: Event): void {
    event.preventDefault();
    void take(async () => {
      if (hasToken) {
        setFactor(await client.account.resetSecondFactor({ reset_token: token }));
        return undefined;
      }
      const { msg } = await client.account.lostSecondFactor({ ...namedBy(name), password });
      setPassword("");
      setHasToken(true);
      return msg;
    });
  }

  if (factor) {
    return (
      <Step title={words.secondFactor} help={words.keep}>
        <div class="notice">
          <QrCode text={factor.qr_uri} label={texts.logIn.picture} />
          <p>
            {texts.logIn.secret}: <code>{factor.otp_secret}</code>
          </p>
        </div>
      </Step>
    );
  }
  return (
    <Step {...{ said, wrong }} title={words.secondFactor} help={words.secondFactorHelp}>
      <form onSubmit={submit}>
        {hasToken
          ? (
            <>
              <Token value={token} onValue={setToken} />
              <button type="submit" class="main" disabled={busy}>{words.show}</button>
            </>
          )
          : (
            <>
              <Field
                label={words.nameOrMail}
                value={name}
                onValue={setName}
                autoComplete="username"
                required
                autoFocus
              />
              <Field
                label={texts.logIn.password}
                type="password"
                value={password}
                onValue={setPassword}
                autoComplete="current-password"
                required
              />
              <Send busy={busy} onHave={() => setHasToken(true)} />
            </>
          )}
      </form>
    </Step>
  );
}

function Step({ title, help, said, wrong, children }: {
  title: string;
  help: string;
  said?: string | undefined;
  wrong?: string | undefined;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [title, help]);
  return (
    <main class="log-in">
      <h1 ref={heading} tabIndex={-1}>{texts.product}: {title}</h1>
      <p>{help}</p>
      <div role="alert">{wrong !== undefined && <p class="notice bad">{wrong}</p>}</div>
      <div role="status">{said !== undefined && <p class="notice good">{said}</p>}</div>
      {children}
      <p class="ways">
        <a href="#/">{words.toLogIn}</a>
      </p>
    </main>
  );
}

function Token({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  return (
    <Field
      label={words.token}
      value={value}
      onValue={onValue}
      autoComplete="off"
      required
      autoFocus
    />
  );
}

function Send({ busy, onHave }: { busy: boolean; onHave: () => void }) {
  return (
    <div class="buttons">
      <button type="submit" class="main" disabled={busy}>{words.send}</button>
      <button type="button" class="plain" onClick={onHave}>{words.have}</button>
    </div>
  );
}
