import { MillraceError } from '../core/errors.ts';
import type { TopicState } from './log-head.ts';

/** A key as a map key: one character per byte, so that equal text means equal bytes. */
export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

export function requireKeyIndex(topic: TopicState): void {
  if (topic.spec.keyIndex) return;
  throw new MillraceError('invalid_argument', `topic "${topic.spec.name}" keeps no index by key`, {
    hint: 'create the topic with keyIndex',
  });
}
