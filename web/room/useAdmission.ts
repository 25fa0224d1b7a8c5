/** Says that one will come, which lets one in. */
import { useEffect, useState } from 'react';
import { api, type Refusal, type Workshop } from '../shared/api.ts';

export interface Admission {
  workshop: Workshop | null;
  admitted: boolean;
  problem: Refusal | null;
}

/** Between tries while the server cannot be reached, in milliseconds. */
const retryMs = 2_000;

export function useAdmission(workshopId: number, onSignedOut: () => void): Admission {
  const [admission, setAdmission] = useState<Admission>({ workshop: null, admitted: false, problem: null });
  useEffect(() => {
    let current = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refused = (problem: Refusal) => {
      if (problem.code === 'unauthenticated') return onSignedOut();
      setAdmission((before) => ({ ...before, problem }));
      // A server that restarts is not the end of the visit.
      if (problem.code === 'unavailable') timer = setTimeout(() => void enter(), retryMs);
    };
    const enter = async () => {
      const found = await api.workshop(workshopId);
      if (!current) return;
      if (!found.ok) return refused(found.error);
      const workshop = found.value;
      setAdmission({ workshop, admitted: false, problem: null });
      if (workshop.status === 'ended' || workshop.status === 'cancelled') return;
      const coming = await api.rsvp(workshopId);
      if (!current) return;
      // Members by role or invitation get in without: the room itself has the last word.
      if (coming.ok || coming.error.code === 'not_a_member')
        setAdmission({ workshop, admitted: true, problem: null });
      else refused(coming.error);
    };
    void enter();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [workshopId, onSignedOut]);
  return admission;
}
