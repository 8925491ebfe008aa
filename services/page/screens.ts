/**
 * All screens, by their address. The code of a screen is loaded when it is first shown.
 * @module
 */
import type { ComponentType } from "preact";
import { may } from "./session/session.ts";
import { texts } from "./texts.ts";

export interface ScreenProps {
  /** What stands in the address in place of `:id` and the like. */
  params: Record<string, string>;
}

export interface Screen {
  /** `["tasks", ":id"]` */
  pattern: readonly string[];
  load: () => Promise<{ Screen: ComponentType<ScreenProps> }>;
}

export const SCREENS: Screen[] = [
  { pattern: ["tasks"], load: () => import("./work/tasks.tsx") },
  { pattern: ["tasks", ":id"], load: () => import("./task/task.tsx") },
  { pattern: ["new-task"], load: () => import("./new_task/new_task.tsx") },
  { pattern: ["me"], load: () => import("./me/me.tsx") },
  { pattern: ["administration"], load: () => import("./administration/screen.tsx") },
  { pattern: ["administration", ":part"], load: () => import("./administration/screen.tsx") },
  {
    pattern: ["administration", ":part", ":id"],
    load: () => import("./administration/screen.tsx"),
  },
  {
    pattern: ["administration", ":part", ":id", ":action"],
    load: () => import("./administration/screen.tsx"),
  },
];

export interface MenuEntry {
  label: string;
  path: readonly string[];
  /** Whether it is of use to who is logged in. */
  isShown: () => boolean;
}

export const MENU: MenuEntry[] = [
  { label: texts.frame.work, path: ["tasks"], isShown: () => may("task:VIEW") },
  { label: texts.frame.newTask, path: ["new-task"], isShown: () => may("task:CREATE") },
  { label: texts.frame.administration, path: ["administration"], isShown: () => true },
  { label: texts.frame.me, path: ["me"], isShown: () => true },
];

export const FIRST_SCREEN = ["tasks"] as const;
