const WIDTH = 30;
/** share of the work between two plain lines where there is no terminal */
const STEP = 0.1;

export interface ProgressLine {
  show(text: string, fraction: number): void;
  end(): void;
}

/** A bar that redraws itself on a terminal; plain lines, one for each tenth, elsewhere. */
export function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  if (!stream.isTTY) {
    let next = 0;
    return {
      show(text, fraction) {
        if (fraction < next) return;
        next = Math.floor(fraction / STEP) * STEP + STEP;
        stream.write(`${text} (${Math.floor(fraction * 100)} %)\n`);
      },
      end() {},
    };
  }
  let shown = false;
  return {
    show(text, fraction) {
      const filled = Math.round(Math.min(1, fraction) * WIDTH);
      stream.write(`\r\x1b[K[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${text}`);
      shown = true;
    },
    end() {
      if (shown) stream.write('\r\x1b[K');
      shown = false;
    },
  };
}
