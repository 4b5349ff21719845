/** What is wrong with a version of Node (default: the running one), or null. */
export function runtimeProblem(version?: string): string | null;
