import type { Admin, Kafka } from 'kafkajs';

/** One connection for questions about the cluster, opened by the first who asks, and anew after one that failed. */
export class SharedAdmin {
  readonly #kafka: Kafka;
  #admin: Promise<Admin> | null = null;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    this.#admin ??= this.#connected();
    const asked = this.#admin;
    try {
      return await question(await asked);
    } catch (error) {
      if (this.#admin === asked) this.#admin = null;
      void closed(asked);
      throw error;
    }
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = null;
    if (admin !== null) await closed(admin);
  }

  async #connected(): Promise<Admin> {
    const admin = this.#kafka.admin();
    await admin.connect();
    return admin;
  }
}

async function closed(admin: Promise<Admin>): Promise<void> {
  await (await admin.catch(() => null))?.disconnect().catch(() => {});
}
