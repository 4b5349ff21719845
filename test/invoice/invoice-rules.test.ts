import { describe, expect, test } from 'vitest';
import {
  created,
  createdEmpty,
  deleted,
  given,
  NOW,
  paid,
  paidInFull,
  sent,
  voided,
} from './invoice-spec.ts';

const who = '"customer_id":"cu-1","customer_name":"Ada","customer_email":"ada@example.org"';
const create = (more: string) => `{${who},"issue_date":"2026-03-01",${more}}`;
const line = (more: string) => `{"description":"Tickets",${more}}`;

describe('CreateInvoice', () => {
  test('makes a draft with priced lines; tax is rounded half up per line', () => {
    const lines = [
      line('"quantity":3,"unit_price":0.35,"tax_rate":10'), // net 1.05, tax 0.105 -> 0.11
      line('"quantity":"1.5","unit_price":"0.33","tax_rate":"7.5"'), // net 0.495 -> 0.50, tax 0.0375 -> 0.04
    ];
    given()
      .when('CreateInvoice', create(`"currency":"EUR","due_date":"2026-03-31","line_items":[${lines}]`))
      .then({
        type: 'InvoiceCreated',
        customer_name: 'Ada',
        currency: 'EUR',
        total: '1.70',
        line_items: [
          {
            line_item_id: '1',
            description: 'Tickets',
            quantity: '3',
            unit_price: '0.35',
            tax_rate: '10',
            net: '1.05',
            tax: '0.11',
            total: '1.16',
          },
          {
            line_item_id: '2',
            description: 'Tickets',
            quantity: '1.5',
            unit_price: '0.33',
            tax_rate: '7.5',
            net: '0.50',
            tax: '0.04',
            total: '0.54',
          },
        ],
      });
  });

  test('takes several lines in a description, but in no name: names go into headers of mails', () => {
    const described = line('"unit_price":1').replace('Tickets', 'Stalls\\nRow 3');
    given()
      .when('CreateInvoice', create(`"currency":"EUR","due_date":"2026-03-31","line_items":[${described}]`))
      .then({ type: 'InvoiceCreated' });
    const named = create('"currency":"EUR","due_date":"2026-03-31"').replace(
      'Ada',
      'Ada\\nBcc: all@example.org',
    );
    given().when('CreateInvoice', named).invalid(['customer_name', 'unprintable']);
  });

  test('is issued on the day of the command unless a day is given', () => {
    given()
      .when('CreateInvoice', `{${who},"currency":"EUR","due_date":"2026-03-31"}`)
      .then({ issue_date: '2026-03-10', line_items: [], total: '0.00' });
  });

  test('law 8, money is exact: keeps amounts that no float can hold', () => {
    given()
      .when(
        'CreateInvoice',
        create(
          `"currency":"EUR","due_date":"2026-03-31","line_items":[${line('"unit_price":900719925474.09')}]`,
        ),
      )
      .then({ total: '900719925474.09' });
  });

  test('a currency without minor digits has whole amounts only', () => {
    const yen = (price: string) =>
      create(`"currency":"JPY","due_date":"2026-03-31","line_items":[${line(`"unit_price":${price}`)}]`);
    given().when('CreateInvoice', yen('1500')).then({ total: '1500' });
    given().when('CreateInvoice', yen('"1500.00"')).then({ total: '1500' });
    given().when('CreateInvoice', yen('1500.5')).refused('amount_too_precise');
  });

  test.each([
    ['already_exists', [created], '"currency":"EUR","due_date":"2026-03-31"'],
    ['already_exists', [created, deleted], '"currency":"EUR","due_date":"2026-03-31"'],
    ['unknown_currency', [], '"currency":"EURO","due_date":"2026-03-31"'],
    ['unknown_currency', [], '"currency":"KWD","due_date":"2026-03-31"'],
    ['due_before_issue', [], '"currency":"EUR","due_date":"2026-02-28"'],
    [
      'amount_too_precise',
      [],
      `"currency":"EUR","due_date":"2026-03-31","line_items":[${line('"unit_price":1.005')}]`,
    ],
    [
      'line_item_exists',
      [],
      `"currency":"EUR","due_date":"2026-03-31","line_items":[${line('"unit_price":1')},${line('"unit_price":1,"line_item_id":"1"')}]`,
    ],
    [
      'amount_too_large',
      [],
      `"currency":"EUR","due_date":"2026-03-31","line_items":[${line('"unit_price":900000000000,"quantity":2')}]`,
    ],
  ] as const)('is refused: %s', (code, events, data) => {
    given(...events)
      .when('CreateInvoice', create(data))
      .refused(code);
  });

  test('tells all faults of the data at once, each with its path', () => {
    const lines = [
      line('"unit_price":-1,"tax_rate":101'),
      `{"description":"${'x'.repeat(501)}","unit_price":"1,50","quantity":0.0001}`,
      '7',
    ];
    given()
      .when(
        'CreateInvoice',
        `{"customer_id":"a b","customer_name":" ","customer_email":"ada","due_date":"2026-02-30","line_items":[${lines}],"colour":"red"}`,
      )
      .invalid(
        ['customer_id', 'malformed'],
        ['customer_name', 'too_short'],
        ['customer_email', 'malformed'],
        ['currency', 'missing'],
        ['due_date', 'not_a_date'],
        ['line_items[0].unit_price', 'negative_amount'],
        ['line_items[0].tax_rate', 'out_of_range'],
        ['line_items[1].description', 'too_long'],
        ['line_items[1].unit_price', 'not_a_decimal'],
        ['line_items[1].quantity', 'too_precise'],
        ['line_items[2]', 'not_an_object'],
        ['colour', 'unknown_field'],
      );
  });
});

describe('AddLineItem', () => {
  const item = line('"unit_price":"10.00","tax_rate":19');

  test('raises the total and numbers the line', () => {
    given(created)
      .when('AddLineItem', item)
      .then({
        type: 'LineItemAdded',
        total: '130.90',
        line_item: {
          line_item_id: '2',
          description: 'Tickets',
          quantity: '1',
          unit_price: '10.00',
          tax_rate: '19',
          net: '10.00',
          tax: '1.90',
          total: '11.90',
        },
      });
  });

  test('never gives the number of a removed line again', () => {
    const added = { type: 'LineItemAdded', line_item: created.line_items[0]!, total: '119.00' } as const;
    const removed = { type: 'LineItemRemoved', line_item: created.line_items[0]!, total: '0.00' } as const;
    given(createdEmpty, added, removed)
      .when('AddLineItem', item)
      .then({ line_item: expect.objectContaining({ line_item_id: '2' }) });
  });

  test.each([
    ['unknown_invoice', [], item],
    ['already_deleted', [created, deleted], item],
    ['already_sent', [created, sent], item],
    ['already_paid', [created, sent, paid('119.00', '119.00', '0.00'), paidInFull], item],
    ['already_voided', [created, sent, voided], item],
    ['line_item_exists', [created], line('"unit_price":1,"line_item_id":"1"')],
    ['amount_too_precise', [created], line('"unit_price":0.001')],
  ] as const)('is refused: %s', (code, events, data) => {
    given(...events)
      .when('AddLineItem', data)
      .refused(code);
  });
});

describe('RemoveLineItem', () => {
  test('lowers the total by the line', () => {
    given(created)
      .when('RemoveLineItem', '{"line_item_id":"1"}')
      .then({ type: 'LineItemRemoved', total: '0.00' });
  });

  test.each([
    ['unknown_line_item', [created], '2'],
    ['unknown_invoice', [], '1'],
    ['already_sent', [created, sent], '1'],
    ['already_deleted', [created, deleted], '1'],
  ] as const)('is refused: %s', (code, events, id) => {
    given(...events)
      .when('RemoveLineItem', `{"line_item_id":"${id}"}`)
      .refused(code);
  });
});

describe('SendInvoice', () => {
  test('tells what the customer owes and until when', () => {
    given(created).when('SendInvoice').then({
      type: 'InvoiceSent',
      customer_email: 'ada@example.org',
      total: '119.00',
      due_date: '2026-03-31',
    });
  });

  test.each([
    ['unknown_invoice', []],
    ['no_line_items', [createdEmpty]],
    ['already_sent', [created, sent]],
    ['already_deleted', [created, deleted]],
    ['already_voided', [created, sent, voided]],
    ['nothing_to_pay', [{ ...created, total: '0.00' }]],
  ] as const)('is refused: %s', (code, events) => {
    given(...events)
      .when('SendInvoice')
      .refused(code);
  });
});

describe('RecordPayment', () => {
  test('in part leaves a balance, and carries customer and due date', () => {
    given(created, sent).when('RecordPayment', '{"amount":19.5,"method":"card"}').then({
      type: 'PaymentReceived',
      payment_id: '1',
      amount: '19.50',
      paid: '19.50',
      balance: '99.50',
      paid_on: '2026-03-10',
      customer_id: 'cu-1',
      due_date: '2026-03-31',
      method: 'card',
    });
  });

  test('in full also pays the invoice', () => {
    given(created, sent, paid('19.00', '19.00', '100.00'))
      .when('RecordPayment', '{"amount":"100","paid_on":"2026-03-09"}')
      .then(
        { type: 'PaymentReceived', payment_id: '2', paid: '119.00', balance: '0.00' },
        { type: 'InvoicePaid', total: '119.00', paid_on: '2026-03-09' },
      );
  });

  test.each([
    ['unknown_invoice', [], '{"amount":1}'],
    ['not_sent', [created], '{"amount":1}'],
    ['already_paid', [created, sent, paid('119.00', '119.00', '0.00'), paidInFull], '{"amount":1}'],
    ['already_deleted', [created, deleted], '{"amount":1}'],
    ['already_voided', [created, sent, voided], '{"amount":1}'],
    ['overpayment', [created, sent], '{"amount":119.01}'],
    ['overpayment', [created, sent, paid('19.00', '19.00', '100.00')], '{"amount":"100.01"}'],
    ['amount_too_precise', [created, sent], '{"amount":1.001}'],
    ['empty_payment', [created, sent], '{"amount":0}'],
    ['payment_exists', [created, sent, paid('19.00', '19.00', '100.00')], '{"amount":1,"payment_id":"1"}'],
    ['paid_in_future', [created, sent], '{"amount":1,"paid_on":"2026-03-12"}'],
  ] as const)('is refused: %s', (code, events, data) => {
    given(...events)
      .when('RecordPayment', data)
      .refused(code);
  });

  test('law 8, money is exact: it is read from a number or a string of digits, and nothing else', () => {
    const read = (amount: string) => given(created, sent).when('RecordPayment', `{"amount":${amount}}`);
    read('-5').invalid(['amount', 'negative_amount']);
    read('1e2').invalid(['amount', 'not_a_decimal']);
    read('"12.50 EUR"').invalid(['amount', 'not_a_decimal']);
    read('true').invalid(['amount', 'not_a_decimal']);
    read('null').invalid(['amount', 'missing']);
  });
});

describe('DeleteInvoice and VoidInvoice', () => {
  test('a draft is deleted, a sent invoice is voided', () => {
    given(created)
      .when('DeleteInvoice', '{"reason":"typo"}')
      .then({ type: 'InvoiceDeleted', reason: 'typo' });
    given(created, sent).when('VoidInvoice').then({ type: 'InvoiceVoided', total: '119.00' });
  });

  test.each([
    ['DeleteInvoice', 'unknown_invoice', []],
    ['DeleteInvoice', 'already_deleted', [created, deleted]],
    ['DeleteInvoice', 'already_sent', [created, sent]],
    ['DeleteInvoice', 'already_voided', [created, sent, voided]],
    ['VoidInvoice', 'unknown_invoice', []],
    ['VoidInvoice', 'not_sent', [created]],
    ['VoidInvoice', 'already_voided', [created, sent, voided]],
    ['VoidInvoice', 'has_payments', [created, sent, paid('19.00', '19.00', '100.00')]],
    ['VoidInvoice', 'already_paid', [created, sent, paid('119.00', '119.00', '0.00'), paidInFull]],
  ] as const)('%s is refused: %s', (type, code, events) => {
    given(...events)
      .when(type, '{}', NOW)
      .refused(code);
  });
});
