// Plain JavaScript on purpose: it must run on a Node too old for the sources and say so in a sentence.

/** What is wrong with a version of Node, or null. */
export function runtimeProblem(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major === 22 && minor >= 18) || (major === 23 && minor >= 6) || major >= 24) return null;
  return (
    `Millrace needs Node 22.18 or newer and was started with ${version}.\n` +
    'On Linux and Windows `npm ci` brings the right one along: start with `npm start` or `npx millrace start`.\n' +
    'Elsewhere install Node 24 from https://nodejs.org and try again.'
  );
}

if (process.argv[1]?.endsWith('check-node.mjs')) {
  const problem = runtimeProblem();
  if (problem !== null) {
    console.error(problem);
    process.exitCode = 1;
  }
}
