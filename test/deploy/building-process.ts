import { DataFolder, Running, type RunningOptions } from './data-folder.ts';

/** Builds what is new in a data folder, and ends: to be killed before. Given: data folder, options as JSON. */
const [, , dir = '', options = '{}'] = process.argv;
const server = await Running.start(new DataFolder(dir), JSON.parse(options) as RunningOptions);
await server.views.settled();
process.exit();
