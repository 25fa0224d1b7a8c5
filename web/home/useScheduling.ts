/** Sends the form of a new workshop: sent twice, after a lost answer, it is one workshop; changed, it is another. */
import { useRef, useState } from 'react';
import { api, type Plan, type Refusal } from '../shared/api.ts';

export interface Scheduling {
  busy: boolean;
  /** `when` in ISO 8601; null: now, and started. */
  submit(plan: Omit<Plan, 'scheduledAt'>, when: string | null): Promise<void>;
}

interface SchedulingOptions {
  onScheduled(workshopId: number): void;
  onRefused(error: Refusal): void;
}

export function useScheduling({ onScheduled, onRefused }: SchedulingOptions): Scheduling {
  const [busy, setBusy] = useState(false);
  const sent = useRef({ form: '', key: '', scheduledAt: '' });
  return {
    busy,
    async submit(plan, when) {
      setBusy(true);
      const form = JSON.stringify([plan, when]);
      if (sent.current.form !== form) {
        const scheduledAt = when ?? new Date().toISOString();
        sent.current = { form, key: freshKey(), scheduledAt };
      }
      const { key, scheduledAt } = sent.current;
      const scheduled = await api.schedule({ ...plan, scheduledAt }, key);
      const started = scheduled.ok && when === null ? await api.step(scheduled.value.id, 'start') : scheduled;
      setBusy(false);
      if (!scheduled.ok) return onRefused(scheduled.error);
      if (!started.ok) onRefused(started.error);
      onScheduled(scheduled.value.id);
    },
  };
}

/** `crypto.randomUUID` is there on https alone. */
function freshKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16)).join('-');
}
