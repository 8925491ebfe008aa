/**
 * What stands around every screen: the way to the others, and who is logged in.
 * @module
 */
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { match, place, to } from "../routes.ts";
import { FIRST_SCREEN, MENU, type ScreenProps, SCREENS } from "../screens.ts";
import { areRulesNew, logOut, type Me } from "../session/session.ts";
import { texts } from "../texts.ts";
import { ChangedKeys } from "../keys/changed_key.tsx";
import { FeedMark } from "../live/feed_mark.tsx";
import { onBack } from "../parts/back.ts";
import { Heading } from "../parts/heading.tsx";
import { Failure, Loading } from "../parts/loading.tsx";
import { ThemeChoice } from "./theme.tsx";

export function Frame({ me }: { me: Me }) {
  return (
    <>
      <a class="skip" href="#content" onClick={toContent}>{texts.frame.skip}</a>
      <div class="bar" role="banner">
        <span class="name">{texts.product}</span>
        <Menu />
        <div class="who">
          <FeedMark />
          <ThemeChoice />
          <span>{me.username}</span>
          <button type="button" onClick={() => void logOut()}>{texts.frame.logOut}</button>
        </div>
      </div>
      <main id="content" tabIndex={-1}>
        <div role="status">
          {areRulesNew.value && <p class="notice">{texts.frame.rulesChanged}</p>}
        </div>
        <ChangedKeys />
        <CurrentScreen />
      </main>
    </>
  );
}

function Menu() {
  const here = place.value.path[0] ?? FIRST_SCREEN[0];
  return (
    <nav aria-label={texts.frame.navigation}>
      <ul>
        {MENU.filter(({ isShown }) => isShown()).map(({ label, path }) => (
          <li key={label}>
            <a href={to(...path)} aria-current={path[0] === here ? "page" : undefined}>{label}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The screen of the address; who hears the page is brought to its heading when it changes. */
function CurrentScreen() {
  const path = place.value.path.length > 0 ? place.value.path : FIRST_SCREEN;
  const address = path.join("/");
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) document.getElementById("content")?.focus({ preventScroll: false });
    first.current = false;
  }, [address]);
  for (const { pattern, load } of SCREENS) {
    const params = match(pattern, path);
    if (params) return <Loaded key={address} load={load} params={params} />;
  }
  return (
    <>
      <Heading text={texts.frame.noSuchScreen} />
      <p>
        <a href={to(...FIRST_SCREEN)}>{texts.frame.toWork}</a>
      </p>
    </>
  );
}

type Code = { Screen: ComponentType<ScreenProps> };

function Loaded({ load, params }: { load: () => Promise<Code> } & ScreenProps) {
  const [code, setCode] = useState<Code>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    load().then(setCode, setError);
  }, [load]);
  // A browser keeps it that a file could not be had, so only a new page asks for it again. There is
  // nothing on this one that could be lost.
  useEffect(() => error === undefined ? undefined : onBack(reload), [error]);
  if (error !== undefined) return <Failure error={error} again={reload} />;
  return code ? <code.Screen params={params} /> : <Loading />;
}

function reload(): void {
  location.reload();
}

/** The address behind the `#` names a screen, so this one may not go there. */
function toContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
