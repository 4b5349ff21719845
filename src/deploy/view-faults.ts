import type { LiveVersion, ViewFault } from '../dataflow/live/epoch-output.ts';

/** A view that was paused is built anew once more memory is allowed than then. */
export function resumable(version: LiveVersion, memoryBudget: number): LiveVersion {
  const { fault } = version;
  if (fault?.paused === undefined || memoryBudget <= fault.paused.budget) return version;
  return { ...version, fault: { ...fault, rebuild: true } };
}

export function faultText(view: string, fault: ViewFault): string {
  return fault.paused === undefined
    ? `view ${view} went wrong and stands still: ${fault.message}`
    : `view ${view} is paused, its last rows are served: ${fault.message}`;
}
