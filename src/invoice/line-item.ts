import { type Refused, refuse } from '../commands/decider.ts';
import type { DtoReader } from '../commands/dto-reader.ts';
import { minorUnits, moneyText, parseDecimal, roundHalfUp } from './money.ts';

/** A line of an invoice as it is written; money in the invoice's currency, `tax_rate` in percent. */
export interface LineItem {
  readonly line_item_id: string;
  readonly description: string;
  readonly quantity: string;
  readonly unit_price: string;
  readonly tax_rate: string;
  readonly net: string;
  readonly tax: string;
  readonly total: string;
  // written as JSON
  readonly [field: string]: string;
}

/** A line as it is asked for. */
export interface LineItemData {
  /** given by the sender, else the next number */
  readonly lineItemId: string | null;
  readonly description: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly taxRate: string;
}

/** No amount of an invoice may be larger (minor units): all sums fit DECIMAL(18, 2). */
export const MAX_AMOUNT = 10n ** 14n;
export const MAX_LINE_ITEMS = 300;

export const ID_RULE = {
  max: 100,
  pattern: { regExp: /^[\x21-\x7e]+$/, says: 'may hold visible ASCII characters only' },
};

export function decodeLineItem(dto: DtoReader): LineItemData {
  const item = {
    lineItemId: dto.optionalText('line_item_id', ID_RULE),
    description: dto.text('description', { max: 500, multiline: true }),
    quantity: dto.optionalDecimal('quantity', '1'),
    unitPrice: dto.decimal('unit_price'),
    taxRate: dto.optionalDecimal('tax_rate', '0'),
  };
  checkDecimal(dto, 'quantity', item.quantity, 3);
  checkDecimal(dto, 'tax_rate', item.taxRate, 2);
  if (isNegative(item.unitPrice)) dto.fail('unit_price', 'negative_amount', 'is negative', null);
  if (minorUnits(item.quantity, 20) === 0n) dto.fail('quantity', 'out_of_range', 'is zero', null);
  const rate = minorUnits(item.taxRate, 20) ?? 0n;
  if (rate > 100n * 10n ** 20n) dto.fail('tax_rate', 'out_of_range', 'is above 100 percent', null);
  return item;
}

export function isNegative(decimal: string): boolean {
  return parseDecimal(decimal).unscaled < 0n;
}

function checkDecimal(dto: DtoReader, name: string, text: string, digits: number): void {
  if (isNegative(text)) dto.fail(name, 'out_of_range', 'is negative', null);
  if (minorUnits(text, digits) === null) {
    dto.fail(name, 'too_precise', `has more than ${digits} digits after the point`, null);
  }
}

export interface PricedLine {
  readonly item: LineItem;
  /** minor units */
  readonly net: bigint;
  readonly tax: bigint;
}

/** Prices a line: net = quantity x unit price, tax = net x rate, each rounded half up to the minor unit. */
export function priceLine(
  data: LineItemData,
  lineItemId: string,
  currency: { readonly code: string; readonly digits: number },
): PricedLine | Refused {
  const { code, digits } = currency;
  const unitPrice = minorUnits(data.unitPrice, digits);
  if (unitPrice === null) return overPrecise('unit price', data.unitPrice, currency);
  const quantity = parseDecimal(data.quantity);
  const rate = parseDecimal(data.taxRate);
  const net = roundHalfUp(quantity.unscaled * unitPrice, 10n ** BigInt(quantity.scale));
  const tax = roundHalfUp(net * rate.unscaled, 100n * 10n ** BigInt(rate.scale));
  if (net + tax > MAX_AMOUNT) return amountTooLarge(code);
  const item: LineItem = {
    line_item_id: lineItemId,
    description: data.description,
    quantity: data.quantity,
    unit_price: moneyText(unitPrice, digits),
    tax_rate: data.taxRate,
    net: moneyText(net, digits),
    tax: moneyText(tax, digits),
    total: moneyText(net + tax, digits),
  };
  return { item, net, tax };
}

export function isPriced(line: PricedLine | Refused): line is PricedLine {
  return 'item' in line;
}

export function overPrecise(
  what: string,
  amount: string,
  currency: { code: string; digits: number },
): Refused {
  return refuse(
    'amount_too_precise',
    `the ${what} ${amount} is more precise than ${currency.code} allows`,
    `${currency.code} has ${currency.digits} digits after the point`,
  );
}

export function amountTooLarge(code: string): Refused {
  const limit = moneyText(MAX_AMOUNT, 2);
  return refuse('amount_too_large', `an amount exceeds ${limit} ${code}`, 'split the invoice');
}
