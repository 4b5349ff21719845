import { Random } from '../generator/random.ts';
import { randomEvents } from './random-events.ts';
import { type Refusals, randomStatements } from './random-script.ts';
import type { GeneratedScript } from './shrink-script.ts';
import { SOURCES } from './sources.ts';

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'];

/** A script that the planner takes, and a history of the topics that it reads. */
export function generateScript(seed: number, refusals: Refusals): GeneratedScript {
  const random = new Random(seed);
  const zone = random.of(ZONES);
  const statements = randomStatements(random, zone, refusals);
  const words = new Set(statements.flatMap(s => [s.from, ...s.joins.map(j => j.text)].join(' ').split(' ')));
  const read = SOURCES.map(s => s.name).filter(name => words.has(name));
  return { zone, statements, events: randomEvents(random, new Set(read)) };
}
