/**
 * What browsers let a page of ours do: use its own scripts, styles and workers, and speak with the
 * server that it comes from. Nothing from elsewhere, nothing inline, no frame around it.
 * @module
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "worker-src 'self'",
  // Pictures that the page draws itself, such as that of a second factor.
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
