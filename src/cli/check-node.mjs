// Plain JavaScript on purpose: it must run on a Node too old for the sources and say so in a sentence.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const ok = (major === 22 && minor >= 18) || (major === 23 && minor >= 6) || major >= 24;

export function runtimeProblem() {
  if (ok) return null;
  return (
    `Millrace needs Node 22.18 or newer and was started with ${process.versions.node}.\n` +
    'On Linux and Windows `npm ci` brings the right one along: start with `npm start` or `npx millrace`.\n' +
    'Elsewhere install Node 24 from https://nodejs.org and try again.'
  );
}

if (import.meta.main || process.argv[1]?.endsWith('check-node.mjs')) {
  const problem = runtimeProblem();
  if (problem !== null) {
    console.error(problem);
    process.exitCode = 1;
  }
}
