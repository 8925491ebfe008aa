/**
 * Light or dark: as the system is, or as the reader wants it. Remembered by the browser.
 * @module
 */
import { effect, signal } from "@preact/signals";
import { keep, readKept } from "../parts/browser_storage.ts";
import { texts } from "../texts.ts";

const THEMES = ["system", "light", "dark"] as const;
type Theme = typeof THEMES[number];

const KEY = "sextant-theme";
const theme = signal<Theme>(THEMES.find((one) => one === readKept(KEY)) ?? "system");

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  keep(KEY, theme.value);
});

export function ThemeChoice() {
  return (
    <select
      aria-label={texts.frame.theme}
      value={theme.value}
      onChange={(event) => theme.value = event.currentTarget.value as Theme}
    >
      {THEMES.map((one) => <option key={one} value={one}>{texts.frame.themes[one]}</option>)}
    </select>
  );
}
