import { describe, expect, it } from 'vitest';
import { closest } from '../../../src/sql/suggest.ts';

describe('did you mean', () => {
  const columns = ['amount', 'customer_id', 'currency', 'id', 'TOTAL'];

  it.each([
    ['amout', 'amount'],
    ['amuont', 'amount'],
    ['AMOUNTS', 'amount'],
    ['customerid', 'customer_id'],
    ['total', 'TOTAL'],
    ['curency', 'currency'],
    ['di', 'id'],
  ])('%s: %s', (name, expected) => {
    expect(closest(name, columns)).toBe(expected);
  });

  it.each(['x', 'price', '', 'totally_different', 'a'.repeat(100_000)])('%s: nothing near', name => {
    expect(closest(name, columns)).toBeNull();
  });

  it('takes the first of equally near ones', () => {
    expect(closest('cat', ['car', 'bat'])).toBe('car');
  });
});
