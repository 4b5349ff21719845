import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commandLine } from '../../src/cli/main.ts';
import { projectDir } from './command-line.ts';

interface Compose {
  readonly services: {
    readonly millrace: {
      readonly command: readonly string[];
      readonly ports: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      readonly volumes: readonly string[];
    };
    readonly kafka: Server;
    readonly postgres: Server;
  };
  readonly volumes: Readonly<Record<string, null>>;
}

interface Server {
  readonly profiles: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports: readonly string[];
}

const compose = parse(readFileSync(join(projectDir, 'docker-compose.yml'), 'utf8')) as Compose;
const { millrace, kafka, postgres } = compose.services;
const script = millrace.command.at(-1) ?? '';
const flag = (name: string) => new RegExp(`--${name} (\\S+)`).exec(script)?.[1];

describe('docker-compose.yml', () => {
  it('publishes the port that the server listens on, on the loopback of the host', () => {
    expect(millrace.ports).toEqual([`127.0.0.1:${flag('port')}:${flag('port')}`]);
  });

  it('starts with options that exist, beyond the loopback of the container with a token', async () => {
    const { commands } = await commandLine(() => {});
    const start = commands.find(c => c.name() === 'start');
    const known = start?.options.map(o => o.long) ?? [];
    const used = /millrace\.mjs start (.*)$/.exec(script.trim())?.[1]?.match(/--[a-z-]+/g) ?? [];
    expect(used.filter(name => !known.includes(name))).toEqual([]);
    expect(flag('host')).toBe('0.0.0.0');
    expect(millrace.environment.MILLRACE_TOKEN).toMatch(/^\$\{MILLRACE_TOKEN:\?/);
  });

  it('keeps the data in the volume and follows the views of the host', () => {
    const targets = millrace.volumes.map(v => v.split(':')[1] ?? '');
    expect(targets).toContain(flag('data'));
    expect(targets.some(t => flag('views') === `${t}/views`)).toBe(true);
  });

  it('hands its place to the server, so that a stop reaches it', () => {
    expect(script).toContain('exec node src/cli/millrace.mjs start');
  });
});

describe('the servers beside it', () => {
  it('come only when asked for, keep what they hold, and answer on the loopback of the host', () => {
    for (const server of [kafka, postgres]) {
      expect(server.profiles).toEqual(['servers']);
      expect(Object.keys(compose.volumes)).toContain(server.volumes[0]?.split(':')[0]);
      expect(server.ports.every(port => port.startsWith('127.0.0.1:'))).toBe(true);
    }
  });

  it('Kafka tells clients on the host and in containers the addresses where it listens for them', () => {
    const at = (setting: string) =>
      (kafka.environment[setting] ?? '').split(',').map(l => [l.split('://')[0], l.split(':').at(-1)]);
    const listens = at('KAFKA_LISTENERS').filter(([name]) => name !== 'CONTROLLER');
    expect(at('KAFKA_ADVERTISED_LISTENERS')).toEqual(listens);
    expect(kafka.ports[0]).toBe(`127.0.0.1:${listens[0]?.[1]}:${listens[0]?.[1]}`);
  });
});
