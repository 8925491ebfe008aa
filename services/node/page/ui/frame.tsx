/**
 * What stands around every screen, and which screen stands in it.
 * @module
 */
import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { match, place, to } from "../../../page/routes.ts";
import { ThemeChoice } from "../../../page/frame/theme.tsx";
import { DataScreen } from "./data.tsx";
import { HeldScreen } from "./held.tsx";
import { HeldOneScreen } from "./held_one.tsx";
import { NowScreen } from "./now.tsx";
import { RecordScreen } from "./record.tsx";
import { RulesScreen } from "./rules.tsx";
import { RunsScreen } from "./runs.tsx";
import { leave } from "./session.ts";
import { texts } from "./texts.ts";

const { screens } = texts;
const FIRST = ["now"];

const MENU: [path: string, label: string][] = Object.entries(screens);

const SCREENS: [pattern: string[], screen: ComponentType<{ params: Record<string, string> }>][] = [
  [["now"], NowScreen],
  [["runs"], RunsScreen],
  [["held"], HeldScreen],
  [["held", ":result", ":attempt"], HeldOneScreen],
  [["data"], DataScreen],
  [["rules"], RulesScreen],
  [["record"], RecordScreen],
];

export function Frame() {
  const path = place.value.path.length > 0 ? place.value.path : FIRST;
  return (
    <>
      <a class="skip" href="#content" onClick={toContent}>{texts.frame.skip}</a>
      <div class="bar" role="banner">
        <span class="name">{texts.product}</span>
        <nav aria-label={texts.frame.navigation}>
          <ul>
            {MENU.map(([name, label]) => (
              <li key={name}>
                <a href={to(name)} aria-current={path[0] === name ? "page" : undefined}>{label}</a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <ThemeChoice />
          <button type="button" onClick={() => void leave()}>{texts.frame.leave}</button>
        </div>
      </div>
      <main id="content" tabIndex={-1}>
        <Current path={path} />
      </main>
    </>
  );
}

/** The screen of the address; who hears the page is brought to it when it changes. */
function Current({ path }: { path: readonly string[] }) {
  const address = path.join("/");
  const first = useRef(true);
  useEffect(() => {
    const label = screens[path[0] as keyof typeof screens];
    document.title = label === undefined ? texts.product : `${label} – ${texts.product}`;
    if (!first.current) document.getElementById("content")?.focus();
    first.current = false;
  }, [address]);
  for (const [pattern, Screen] of SCREENS) {
    const params = match(pattern, path);
    if (params) return <Screen key={address} params={params} />;
  }
  return (
    <>
      <p>{texts.frame.noSuchScreen}</p>
      <p>
        <a href={to(...FIRST)}>{texts.frame.toFirst}</a>
      </p>
    </>
  );
}

/** The address behind the `#` names a screen, so this one may not go there. */
function toContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
