import { describe, expect, it } from 'vitest';
import { byteText, parseByteSize } from '../../src/core/byte-size.ts';

describe('sizes in bytes', () => {
  it.each([
    ['1B', 1],
    ['800MB', 800_000_000],
    ['512MiB', 536_870_912],
    ['1.5GiB', 1_610_612_736],
    ['2 GiB', 2_147_483_648],
  ])('%s are %d bytes', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(['', '5', '-1MiB', '1 mib', '1TiB', '1.2345GiB', '1e3MB'])('%j is no size', text => {
    expect(parseByteSize(text)).toBeNull();
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1_610_612_736, '1.5 GiB'],
    [12_900_000, '12 MiB'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(byteText(bytes)).toBe(text);
  });
});
