import type { ReactionStatus } from './commands/reaction-runner.ts';
import type { Config } from './config.ts';
import type { LogKeeperPorts, TopicHandler } from './deploy/log-keeper.ts';
import { INVOICE_TOPICS } from './invoice/invoice-entity.ts';
import type { EventLog } from './log/event-log.ts';
import type { ViewPlan } from './plan/plan.ts';

/** ms for which command ids are remembered, unless the settings say otherwise */
export const KEEP_RESULTS = 7 * 86_400_000;
export const RESULTS_TOPIC = 'command-results';

/** Which topics the command handlers need, and how long. */
export function kept(config: Config): Pick<LogKeeperPorts, 'owned' | 'ownedByKey' | 'keptFor'> {
  const why = 'invoices are made of its records';
  return {
    owned: new Map([[INVOICE_TOPICS.events, why]]),
    ownedByKey: new Map([[INVOICE_TOPICS.snapshots, why]]),
    keptFor: new Map([[RESULTS_TOPIC, config.commands.invoice?.keepResultsFor ?? KEEP_RESULTS]]),
  };
}

/**
 * Who follows topics, and how far: command handlers and reactions. A reaction on a view may need what the view reads: the
 * changes that its feed no longer keeps are computed again.
 */
export function topicHandlers(
  log: EventLog,
  reactions: readonly ReactionStatus[],
  plans: readonly ViewPlan[],
): TopicHandler[] {
  const { commands } = INVOICE_TOPICS;
  const handler = `commands/${commands}`;
  const followed = (follows: string): readonly string[] => {
    const [kind, name = ''] = follows.split(' ');
    return kind === 'topic' ? [name] : (plans.find(p => p.name === name)?.topics ?? []);
  };
  return [
    { name: `the handler of ${commands}`, topic: commands, position: log.position(handler) ?? 0 },
    ...reactions.flatMap(({ name, follows, position }) =>
      followed(follows).map(topic => ({ name: `reaction ${name}`, topic, position })),
    ),
  ];
}
