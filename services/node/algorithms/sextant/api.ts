/**
 * What an algorithm author writes against, as `sextant/api.ts`: types only.
 * @module
 */
export type * from "../api.ts";
