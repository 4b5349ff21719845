import { killsUnderLoad } from './kill.contract.ts';

killsUnderLoad('the log alone', process.env.MILLRACE_LONG === '1' ? 50 : 8, async () => ({}));
