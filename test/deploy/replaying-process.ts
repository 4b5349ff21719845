import { DataFolder, Running } from './data-folder.ts';

/** Replays a view without end and says when one is under way: to be killed. */
const server = await Running.start(new DataFolder(process.argv[2] ?? ''));
for (;;) {
  await server.views.replay('large');
  if (server.views.deployment.job !== null) process.stdout.write('replaying\n');
  await server.views.settled();
}
