import type { Random } from './random.ts';
import { DAY, type Step } from './step.ts';

const PAGES = [
  '/',
  '/',
  '/programme',
  '/programme',
  '/tickets',
  '/tickets/checkout',
  '/contact',
  '/about',
  '/news',
];
const REFERRERS = ['search', 'newsletter', 'poster', 'direct', 'direct'];

const LINES = [
  'a log keeps what happened in the order in which it happened',
  'a view is what the log says when you ask it one question',
  'the stream becomes a table and the table becomes a stream',
  'every event is kept and no event is changed',
  'what was asked yesterday can be asked again tomorrow of the same events',
  'count the words and the words will count for you',
  'The mill turns the stream and the stream turns the mill',
  'one table forgets what the log remembers',
];

/** Page views of 400 users and lines of text in the `days` before `until`. */
export function siteTraffic(
  random: Random,
  options: { until: number; days: number; pageViews: number; lines: number },
): Step[] {
  const { until, days, pageViews, lines } = options;
  const from = until - days * DAY;
  const sometime = () => Math.floor(from + random.next() * (until - from));
  const steps: Step[] = [];
  for (let i = 0; i < pageViews; i++) {
    // few users look at many pages
    const user = `user-${String(Math.floor(random.next() ** 2 * 400) + 1).padStart(3, '0')}`;
    const value = { user_id: user, page: random.pick(PAGES), referrer: random.pick(REFERRERS) };
    steps.push({ at: sometime(), record: { topic: 'page-views', key: user, value } });
  }
  for (let i = 0; i < lines; i++) {
    const value = { line: random.pick(LINES) };
    steps.push({ at: sometime(), record: { topic: 'text-lines', key: `line-${i + 1}`, value } });
  }
  return steps;
}
