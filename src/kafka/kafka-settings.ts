import type { ConnectionOptions } from 'node:tls';

export interface KafkaSettings {
  /** `host:port` of some brokers of the cluster */
  readonly brokers: readonly string[];
  /** names this node in the logs of brokers */
  readonly clientId: string;
  readonly tls: ConnectionOptions | null;
  readonly sasl: SaslSettings | null;
  /** topics that are never copied, by name */
  readonly exclude: readonly string[];
}

export interface SaslSettings {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}
