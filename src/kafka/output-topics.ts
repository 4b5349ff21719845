import type { Kafka } from 'kafkajs';
import type { EventLog } from '../log/event-log.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { type OutputStatus, OutputTopic } from './output-topic.ts';

export interface OutputTopicsOptions {
  readonly kafka: Kafka;
  /** of the same cluster */
  readonly settings: KafkaSettings;
  readonly log: EventLog;
  /** topics to write, whether they are there yet or not */
  readonly topics: readonly string[];
  /** topics that views write now, and whether only the last record of a key counts */
  readonly written: () => ReadonlyMap<string, { readonly upsert: boolean }>;
  readonly onError: (error: unknown) => void;
}

/** ms between two looks for topics of new views */
const LOOK_EVERY = 500;

/** The topics of views that are written to Kafka. */
export class OutputTopics {
  readonly #options: OutputTopicsOptions;
  readonly #open = new Map<string, OutputTopic>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: OutputTopicsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
    this.#look();
  }

  status(): readonly OutputStatus[] {
    return this.#options.topics.map(
      topic =>
        this.#open.get(topic)?.status ?? {
          topic,
          state: 'starting',
          error: 'no view writes it',
          lag: null,
          records: 0,
        },
    );
  }

  /** What must not be taken from the log yet. */
  handlers(): { readonly name: string; readonly topic: string; readonly position: number }[] {
    return [...this.#open].map(([topic, output]) => ({
      name: `the output of ${topic} to Kafka`,
      topic,
      position: output.position,
    }));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#open.values()].map(output => output.stop()));
  }

  #look(): void {
    const { kafka, settings, log, topics, written, onError } = this.#options;
    const views = written();
    for (const topic of topics) {
      const view = views.get(topic);
      if (this.#open.has(topic) || view === undefined || log.topic(topic) === null) continue;
      this.#open.set(topic, new OutputTopic({ kafka, settings, log, topic, upsert: view.upsert, onError }));
    }
  }
}
