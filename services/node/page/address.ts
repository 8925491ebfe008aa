import { KEY_IN_LINK } from "./contract.ts";

export function addressOf(port: number): string {
  return `http://127.0.0.1:${port}/`;
}

/** What lets in once: browsers send nothing of what stands behind the `#`. */
export function linkTo(address: string, key: string): string {
  return `${address}#${KEY_IN_LINK}${key}`;
}
