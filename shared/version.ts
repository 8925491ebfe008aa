/** Sextant's own version. */
export const VERSION = "0.1.0";

/** The version of v6's API that this hub speaks: v6's node program chooses an image tag by it. */
export const V6_VERSION = "4.15.2";
