const WIDTH = 30;
/** plain lines for the whole work, where there is no terminal */
const STEPS = 10;

/** What progress is written to. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressLine {
  /** `fraction`: 0 to 1 */
  show(text: string, fraction: number): void;
  end(): void;
}

/** A bar that redraws itself on a terminal; plain lines, one for each tenth, elsewhere. */
export function progressLine(stream: ProgressStream): ProgressLine {
  return stream.isTTY === true ? bar(stream) : plainLines(stream);
}

function plainLines(stream: ProgressStream): ProgressLine {
  let told = 0;
  return {
    show(text, fraction) {
      const step = Math.floor(fraction * STEPS);
      if (step <= told) return;
      told = step;
      stream.write(`${text} (${Math.floor(fraction * 100)} %)\n`);
    },
    end() {
      told = 0;
    },
  };
}

function bar(stream: ProgressStream): ProgressLine {
  let shown = false;
  return {
    show(text, fraction) {
      const filled = Math.round(Math.max(0, Math.min(1, fraction)) * WIDTH);
      const percent = `${Math.floor(fraction * 100)} %`.padStart(5);
      const line = `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}]${percent} ${text}`;
      stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
      shown = true;
    },
    end() {
      if (shown) stream.write('\r\x1b[K');
      shown = false;
    },
  };
}
