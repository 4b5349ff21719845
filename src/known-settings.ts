/** Names of settings by the first name of their path: what a misspelt one may have meant. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  '': [
    'server',
    'data',
    'memory',
    'views',
    'sample',
    'topics',
    'commands',
    'reactions',
    'extensions',
    'sinks',
    'kafka',
  ],
  server: ['host', 'port'],
  data: ['folder'],
  memory: ['budget'],
  views: ['folder', 'watch', 'zone'],
  sample: ['enabled', 'seed', 'module'],
  topics: ['partitions', 'keyIndex', 'retention', 'cleanup', 'keepTombstonesFor', 'acceptIncompleteRebuilds'],
  commands: ['keepResultsFor', 'cacheSize'],
  reactions: ['module', 'settings'],
  kafka: [
    'brokers',
    'clientId',
    'tls',
    'ca',
    'cert',
    'key',
    'sasl',
    'mechanism',
    'username',
    'password',
    'exclude',
    'outputs',
    'commands',
    'group',
    'partitions',
  ],
  sinks: ['view', 'takeOver', 'postgres', 'connection', 'schema', 'table', 'file', 'path'],
};

/** What may be written at a path, as far as suggestions go. */
export function knownKeys(path: readonly string[]): readonly string[] {
  return KNOWN[path[0] ?? ''] ?? [];
}
