/** Streams: where a command writes. The process's own by default; tests hand in collectors. */

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Streams {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** Characters per line for text on `sink`: the terminal's, at least 80; 120 where it is no terminal. */
export function lineWidth(sink: Sink): number {
  return Math.max(80, sink.columns ?? 120);
}

/** Lets `bitexact … | head` end quietly: a reader that went away is not a failure. */
export function endOnClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
}
