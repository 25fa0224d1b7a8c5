/** What the command line asks of the projections, however it reaches them (`openOperations.ts`). */
import type { ProjectionStatus } from '../../projections/status.ts';
import type { Told } from '../../projections/verify/findings.ts';
import type { ReplayTold } from '../history/checkReplay.ts';

export interface Operations {
  status(): Promise<ProjectionStatus>;
  /** `parked`: it is parked again. */
  retry(workshopId: number): Promise<{ parked: boolean }>;
  skip(wish: { workshopId: number; version: number; by: string }): Promise<{ parked: boolean }>;
  /** Resolves when every workshop was folded anew; tells the share that is done meanwhile. */
  rebuild(onProgress: (share: number) => void): Promise<{ partitions: number }>;
  /** As `verify` of the projections: findings and progress, then the summary. */
  verify(workshopId: number | undefined): AsyncIterable<Told>;
  /** As `checkReplay` of the history. */
  checkReplay(): AsyncIterable<ReplayTold>;
  close(): Promise<void>;
}

