const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Bytes of a text such as `512MiB`, `1.5GiB` or `800MB`; null when it is none. */
export function parseByteSize(text: string): number | null {
  const [, amount, unit] = /^(\d{1,12}(?:\.\d{1,3})?) ?(B|kB|MB|GB|KiB|MiB|GiB)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return null;
  return Math.floor(Number(amount) * (UNITS[unit] as number));
}

/** Bytes for people: `1.5 GiB`, `12 MiB`, `300 B`. */
export function byteText(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const amount = bytes / (UNITS[unit] as number);
    if (amount >= 1) return `${amount >= 10 ? Math.round(amount) : Math.round(amount * 10) / 10} ${unit}`;
  }
  return `${bytes} B`;
}
