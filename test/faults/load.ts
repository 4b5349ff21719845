/** Appends a record somewhere else; resolves when it is acknowledged there. */
export type Produce = (topic: string, key: string, value: unknown) => Promise<void>;

/** What was sent to a server, and what of it was acknowledged. */
export class Load {
  readonly random: () => number;
  /** ids of commands, with whether their result was seen */
  readonly commands = new Map<string, boolean>();
  /** ids of produced records by topic, with whether they were acknowledged */
  readonly records = new Map<string, Map<string, boolean>>();
  acknowledged = 0;
  #invoices = 0;
  #produced = 0;
  /** commands that got no answer: sent again, with the same id */
  #again: { readonly invoice: string; readonly body: Record<string, unknown> }[] = [];

  readonly #elsewhere: Produce | undefined;
  #stopped = false;

  /** `produce`: default over HTTP */
  constructor(seed: number, produce?: Produce) {
    this.#elsewhere = produce;
    let state = seed >>> 0;
    this.random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  /** Sends commands and records, several at a time, until the server is gone. Each ends by itself then. */
  run(url: string): Promise<unknown> {
    this.#stopped = false;
    const senders = [
      this.#commands(url),
      this.#commands(url),
      this.#commands(url),
      this.#records(url),
      this.#records(url),
    ];
    return Promise.all(senders);
  }

  /** The server is gone; who does not ask it is told so. */
  stop(): void {
    this.#stopped = true;
  }

  /** Sends once more what got no answer. */
  async finish(url: string): Promise<void> {
    for (const { invoice, body } of this.#again.splice(0)) await this.#command(url, invoice, body);
  }

  async #commands(url: string): Promise<void> {
    try {
      for (;;) {
        const again = this.#again.shift();
        if (again !== undefined) {
          await this.#command(url, again.invoice, again.body);
          continue;
        }
        const n = this.#invoices++;
        const invoice = `i-${n}`;
        const send = (type: string, data?: Record<string, unknown>) =>
          this.#command(url, invoice, { type, commandId: `${invoice}-${type}`, ...(data && { data }) });
        const price = `${1 + Math.floor(this.random() * 900)}.${10 + Math.floor(this.random() * 90)}`;
        await send('CreateInvoice', {
          customer_id: `c-${n % 9}`,
          customer_name: `Customer ${n % 9}`,
          customer_email: `c${n % 9}@example.org`,
          currency: n % 3 === 0 ? 'USD' : 'EUR',
          due_date: n % 2 === 0 ? '2031-01-31' : '2032-02-28',
          line_items: [{ description: 'work', quantity: 1, unit_price: price, tax_rate: 0 }],
        });
        await send('SendInvoice');
        if (n % 2 === 0) await send('RecordPayment', { amount: n % 4 === 0 ? price : '0.75' });
      }
    } catch {
      // the server is gone
    }
  }

  async #command(url: string, invoice: string, body: Record<string, unknown>): Promise<void> {
    const id = String(body.commandId);
    if (!this.commands.has(id)) this.commands.set(id, false);
    try {
      await this.#post(`${url}/invoices/${invoice}/commands`, body);
      this.commands.set(id, true);
    } catch (error) {
      this.#again.push({ invoice, body });
      throw error;
    }
  }

  async #records(url: string): Promise<void> {
    try {
      while (!this.#stopped) {
        const n = this.#produced++;
        const id = `r${n}`;
        const some = Math.floor(this.random() * 5);
        await this.#produce(url, 'text-lines', id, { line: `${id} word${some} again word${some}` });
        await this.#produce(url, 'page-views', id, { user_id: `u${some}`, page: id, referrer: null });
        await this.#produce(url, 'authorization-attempts', id, {
          card_number: `card${some}`,
          amount: 12.5,
          currency: 'EUR',
          merchant: id,
        });
        await this.#produce(url, 'inventory', id, { sku: id, quantity: 2, reason: 'delivery' });
        await this.#produce(url, 'orders', id, {
          order_id: id,
          customer_id: `c-${some}`,
          status: 'placed',
          items: [{ sku: id, quantity: 1 + some }],
          invoice_id: `i-${n % 50}`,
        });
      }
    } catch {
      // the server is gone
    }
  }

  async #produce(url: string, topic: string, key: string, value: unknown): Promise<void> {
    const sent = this.records.get(topic) ?? new Map<string, boolean>();
    this.records.set(topic, sent.set(key, false));
    if (this.#elsewhere === undefined) await this.#post(`${url}/topics/${topic}/records`, { key, value });
    else await this.#elsewhere(topic, key, value);
    sent.set(key, true);
  }

  async #post(url: string, body: unknown): Promise<void> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status >= 500) throw new Error(`${response.status}: ${text}`);
    if (!response.ok) throw new Error(`${url} refuses ${JSON.stringify(body)}: ${text}`);
    this.acknowledged++;
  }
}
