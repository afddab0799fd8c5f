// Prometheus' text format, as much of it as the panel needs: names, labels, values. Lines that are not understood are
// skipped; the panel shows what is known and no more.

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const kLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const kLabel = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = kLine.exec(line.trim());
    if (!match) continue;
    const value = Number(match[3]!.replace('+Inf', 'Infinity').replace('-Inf', '-Infinity'));
    if (Number.isNaN(value)) continue;
    const labels: Record<string, string> = {};
    for (const [, name, quoted] of (match[2] ?? '').matchAll(kLabel))
      labels[name!] = quoted!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    samples.push({ name: match[1]!, labels, value });
  }
  return samples;
}

// What the panel shows; undefined: the server does not tell.
export interface MachineState {
  memoryBytes?: number;
  cacheBytes?: number;
  modelBytes?: number;
  running?: number;
  waiting?: number;
  promptTokens?: number;
  cachedTokens?: number;
  completionTokens?: number;
  generationSeconds?: number;
  energyJoules?: number;
  sentOutBytes?: number;
}

// Each number with the names that it may have: ours first, then llama.cpp's. Sums over labels (models).
const kNames: Record<keyof MachineState, string[]> = {
  memoryBytes: ['inkstone_resident_memory_bytes', 'process_resident_memory_bytes'],
  cacheBytes: ['inkstone_cache_bytes', 'inkstone_kv_cache_bytes'],
  modelBytes: ['inkstone_models_bytes'],
  running: ['inkstone_requests_running', 'llamacpp:requests_processing'],
  waiting: ['inkstone_requests_waiting', 'llamacpp:requests_deferred'],
  promptTokens: ['inkstone_prompt_tokens_total', 'llamacpp:prompt_tokens_total'],
  cachedTokens: ['inkstone_cached_tokens_total'],
  completionTokens: ['inkstone_completion_tokens_total', 'llamacpp:tokens_predicted_total'],
  generationSeconds: ['inkstone_generation_seconds_total', 'llamacpp:tokens_predicted_seconds_total'],
  energyJoules: ['inkstone_energy_joules_total'],
  sentOutBytes: ['inkstone_bytes_sent_to_other_hosts_total'],
};

export function machineState(samples: Sample[]): MachineState {
  const state: MachineState = {};
  for (const key of Object.keys(kNames) as (keyof MachineState)[]) {
    for (const name of kNames[key]) {
      const found = samples.filter((sample) => sample.name === name);
      if (found.length === 0) continue;
      state[key] = found.reduce((sum, sample) => sum + sample.value, 0);
      break;
    }
  }
  return state;
}
