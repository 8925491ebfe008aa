/** Sextant's own version. */
export const VERSION = "0.1.0";

/** The version of the field's API that this hub speaks: its node program chooses an image tag by it. */
export const FIELD_VERSION = "4.14.0";
