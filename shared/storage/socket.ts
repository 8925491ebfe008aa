/**
 * The socket under a connection: what is written in one turn of the event loop leaves in one piece.
 *
 * The driver corks the four or five messages of a statement, and Deno (2.9.6) makes a system call
 * of each all the same.
 * @module
 */
import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { setImmediate } from "node:timers";

type Written = (error?: Error | null) => void;

export class BatchingSocket extends Socket {
  #corked = false;

  /** Holds back what is written until this turn of the event loop is over. */
  override cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    super.cork();
    setImmediate(() => this.#release());
  }

  override uncork(): void {}

  #release(): void {
    if (!this.#corked) return;
    this.#corked = false;
    super.uncork();
  }

  // deno-lint-ignore no-explicit-any -- the forms of Node's own method
  override end(...given: any[]): this {
    this.#release();
    return super.end(...given);
  }

  // How a stream writes what has piled up.
  override _writev(chunks: { chunk: Buffer }[], written: Written): void {
    const whole = Buffer.concat(chunks.map(({ chunk }) => chunk));
    this._write(whole, "buffer" as BufferEncoding, written);
  }
}
