import { join, resolve } from 'node:path';
import { Broker } from './kafka-broker.ts';

/** `npm run kafka -- start|stop|status|wipe`: a broker for work on this machine. */

const usage = `npm run kafka -- start|stop|status|wipe
  start   a Kafka of one node on 127.0.0.1, fetched by Maven on first use
  stop    what it holds stays
  status  where it runs; ends with 3 when it does not
  wipe    stops it and forgets all that it held
settings by environment: MILLRACE_KAFKA_DIR [.cache/kafka], MILLRACE_KAFKA_PORT [19092]
`;

const dir = resolve(
  process.env.MILLRACE_KAFKA_DIR ?? join(import.meta.dirname, '..', '..', '.cache', 'kafka'),
);
const port = Number(process.env.MILLRACE_KAFKA_PORT ?? 19_092);

const say = (text: string) => process.stdout.write(`${text}\n`);

const shown = (broker: Broker) => `Kafka runs at ${broker.address} (process ${broker.pid}, ${broker.dir})`;

switch (process.argv[2]) {
  case 'start':
    say(shown(await Broker.start({ dir, port })));
    break;
  case 'stop': {
    const running = Broker.at(dir);
    await running?.stop();
    say(running === null ? 'Kafka does not run' : 'Kafka has stopped');
    break;
  }
  case 'status': {
    const running = Broker.at(dir);
    say(running === null ? 'Kafka does not run' : shown(running));
    process.exitCode = running === null ? 3 : 0;
    break;
  }
  case 'wipe':
    await Broker.wipe(dir);
    say('Kafka does not run, and nothing is left of what it held');
    break;
  default:
    process.stderr.write(usage);
    process.exitCode = 2;
}
