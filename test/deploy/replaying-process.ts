import { DataFolder, Running, type RunningOptions } from './data-folder.ts';

/** Replays a view without end and says when one is under way: to be killed. Given: data folder, options as JSON. */
const [, , dir = '', options = '{}'] = process.argv;
const server = await Running.start(new DataFolder(dir), JSON.parse(options) as RunningOptions);
for (;;) {
  await server.views.replay('large');
  if (server.views.deployment.job !== null) process.stdout.write('replaying\n');
  await server.views.settled();
}
