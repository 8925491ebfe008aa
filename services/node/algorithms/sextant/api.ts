/**
 * What an algorithm author writes against, as `sextant/api.ts`: types only.
 * @module
 */
export type * from "../api.ts";
export type { Argument, Description, Method, Output } from "./description.ts";
