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
  // rows of full SQL's joins multiply, and the fold looks through all of them
  const multiplying = statements.filter(s => s.create === 'VIEW' && (s.joins.length > 0 || s.query !== null));
  const most = multiplying.reduce((events, s) => events / (1 + Math.max(1, s.joins.length)), 500);
  return { zone, statements, events: randomEvents(random, new Set(read), Math.max(20, Math.floor(most))) };
}
