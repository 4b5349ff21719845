/**
 * A DOUBLE as SQL text: the shortest digits that read back as the same number, always with a point (`1.0`), in scientific
 * notation (`1.0E10`, `1.25E-5`) outside [10^-3, 10^7). The form of Java's Double.toString, which KSQL users know.
 */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const digits = mantissa.includes('.') ? mantissa : `${mantissa}.0`;
  return `${digits}E${Number(exponent)}`;
}

const DOUBLE_TEXT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a text stands for, or null. */
export function parseDouble(text: string): number | null {
  const trimmed = text.trim();
  if (DOUBLE_TEXT.test(trimmed)) return Number(trimmed);
  if (trimmed === 'NaN') return Number.NaN;
  if (trimmed === 'Infinity' || trimmed === '+Infinity') return Number.POSITIVE_INFINITY;
  return trimmed === '-Infinity' ? Number.NEGATIVE_INFINITY : null;
}
