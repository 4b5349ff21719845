import { expect } from 'vitest';
import { secondDomain } from './second-domain.contract.ts';

secondDomain('topics of the log', async () => ({
  yaml: {},
  async produce(server, topic, records) {
    const response = await fetch(`${server.url}/topics/${topic}/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: records.map(r => `${JSON.stringify(r)}\n`).join(''),
    });
    expect(response.status).toBe(200);
  },
}));
