import kafkajs, { type Admin, type Kafka } from 'kafkajs';

/** ms */
const LEADERS_WITHIN = 10_000;
const LOOK_EVERY = 50;

export interface WantedTopic {
  readonly name: string;
  readonly partitions: number;
  /** settings of the topic where it is made here */
  readonly config: Readonly<Record<string, string>>;
}

/** Creates topics in Kafka where they are missing, as often replicated as the cluster does by default. */
export async function createMissingTopics(kafka: Kafka, wanted: readonly WantedTopic[]): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const there = new Set(await admin.listTopics());
    const missing = wanted.filter(t => !there.has(t.name));
    if (missing.length === 0) return;
    await admin.createTopics({
      // a broker may not have heard yet of a topic that the controller has made, which the client takes for a failure
      waitForLeaders: false,
      topics: missing.map(({ name, partitions, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: -1,
        configEntries: Object.entries(config).map(([setting, value]) => ({ name: setting, value })),
      })),
    });
    const names = missing.map(t => t.name);
    for (let patient = LEADERS_WITHIN; !(await haveLeaders(admin, names)); patient -= LOOK_EVERY) {
      if (patient <= 0) throw new Error(`Kafka has made ${names.join(', ')}, and nobody leads them`);
      await new Promise(resolve => setTimeout(resolve, LOOK_EVERY));
    }
  } finally {
    await admin.disconnect();
  }
}

/** The leaders know it, too. */
async function haveLeaders(admin: Admin, names: readonly string[]): Promise<boolean> {
  const asked = names.map(name => admin.fetchTopicOffsets(name));
  return (await Promise.allSettled(asked)).every(a => a.status === 'fulfilled');
}

const RETENTION = 'retention.ms';

/** What an operator should change of topics that others have made: they are kept for less long than is wanted. */
export async function keptTooShort(kafka: Kafka, wanted: readonly WantedTopic[]): Promise<string[]> {
  const asked = wanted.filter(t => t.config[RETENTION] !== undefined);
  if (asked.length === 0) return [];
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: asked.map(({ name }) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: [RETENTION, 'cleanup.policy'],
      })),
    });
    return resources.flatMap(({ resourceName, configEntries }) => {
      const found = new Map(configEntries.map(e => [e.configName, e.configValue]));
      const least = asked.find(t => t.name === resourceName)?.config[RETENTION] ?? '-1';
      const kept = found.get('cleanup.policy') === 'compact' ? '-1' : (found.get(RETENTION) ?? '-1');
      if (lasting(kept) >= lasting(least)) return [];
      return [
        `Kafka keeps the records of ${resourceName} ${days(kept)}, which is too short: set ${RETENTION}=${least} (${days(least)}) for this topic`,
      ];
    });
  } finally {
    await admin.disconnect();
  }
}

const lasting = (ms: string): number => (Number(ms) < 0 ? Number.POSITIVE_INFINITY : Number(ms));
const days = (ms: string): string =>
  Number(ms) < 0 ? 'for ever' : `for ${Math.round((Number(ms) / 86_400_000) * 100) / 100} days`;
