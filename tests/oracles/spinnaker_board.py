"""A SpiNNaker board's work and lateness from recorded spikes, synapse by synapse, in plain Python."""

import math
from collections import Counter, defaultdict

import numpy as np

from neurohw.kernels.lowering import blocks


class Board:
    """unit_of: presynaptic number -> slice. synapses: source -> [(core, delay, projection)]. goes: unit -> cores."""

    def __init__(self, program):
        self.program, self.machine = program, program.device.machine
        units = (*program.slices, *program.extensions)
        self.units, n_slices = units, len(program.slices)
        first = program.origin.first
        self.unit_of, self.extension_of = {}, {}
        for k, part in enumerate(units):
            for i in range(first[part.population] + part.first, first[part.population] + part.last):
                (self.unit_of if k < n_slices else self.extension_of)[i] = k
        self.is_core = [k < n_slices and part.population in program.network.neurons for k, part in enumerate(units)]
        self.synapses = defaultdict(list)
        for block in blocks(program):
            for s, t, d, p in zip(block.sources, block.targets, block.steps, block.projections, strict=True):
                self.synapses[int(s)].append((self.unit_of[int(t)], int(d), int(p)))
        self.goes, self.links = defaultdict(list), defaultdict(list)
        self._routes()
        bits = 14 - 1 - (self.machine.neurons_per_unit(program.choices) - 1).bit_length()
        self.slots = 2**bits
        self.budget = float(self.machine.clock) * program.dt * program.choices.slowdown(program.dt)

    def _routes(self):
        """By a plain reading of the routing tables."""
        program, fabric = self.program, self.machine.fabric
        at = {(u.site.x, u.site.y, u.site.unit): k for k, u in enumerate(self.units)}
        for k, unit in enumerate(self.units):
            key, queue = int(program.routing.keys[k]), [((unit.site.x, unit.site.y), None)]
            while key >= 0 and queue:
                chip, came = queue.pop()
                line = next((e for e in program.routing.tables.get(chip, ()) if key & e.mask == e.key), None)
                links = line.links if line else ((came + 3) % 6,)
                self.goes[k] += [at[(*chip, core)] for core in (line.cores if line else ())]
                for link in links:
                    self.links[k].append((*chip, link))
                    queue.append((fabric.beyond(chip, link), (link + 3) % 6))

    def fixed(self, k):
        part, m = self.units[k], self.machine
        variables = 1 + len(self.program.record[part.population])
        each = float(m.cycles_per_neuron) + variables * float(m.cycles_per_recorded)
        return float(m.cycles_per_step) + part.size * each if self.is_core[k] else 0.0

    def rows(self, s, stage):
        """core -> (synapses, rows) of a source's spike in a stage."""
        found = defaultdict(list)
        for core, d, p in self.synapses[s]:
            if (d - 1) // self.slots == stage:
                found[core].append(p)
        network, names = self.program.network, list(self.program.network.projections)
        source = next(n for n, f in self.program.origin.first.items() if 0 <= s - f < self.program.origin.size[n])
        between = Counter(self._core(k) for k in found for p in names if network.projections[p].source == source
                          and network.projections[p].target == self.units[k].population)  # fmt: skip
        return {core: (len(ps), min(len(ps), between[core])) for core, ps in found.items()}

    def _core(self, k):
        return k

    def stages(self, s):
        return sorted({(d - 1) // self.slots for _, d, _ in self.synapses[s]} | {0})

    def packets(self, spikes):
        """(step, unit that sends, source, stage) of every packet: spikes and what extensions make of them."""
        for t, s in spikes:
            for stage in self.stages(s):
                yield t + stage * self.slots, self.extension_of[s] if stage else self.unit_of[s], s, stage

    def workload(self, spikes, n_steps):
        """cycles[step, unit], events, rows, received, sent [unit], carried {link: packets}."""
        n, m = len(self.units), self.machine
        cycles, (events, rows, received, sent) = np.zeros((n_steps, n)), np.zeros((4, n), int)
        cycles[:] = [self.fixed(k) for k in range(n)]
        carried = Counter()
        for t, unit, s, stage in self.packets(spikes):
            if t >= n_steps:
                continue
            sent[unit] += 1
            carried.update(self.links[unit])
            cycles[t, unit] += float(m.cycles_per_spike)
            for core in self.goes[unit]:
                received[core] += 1
                cycles[t, core] += float(m.cycles_per_packet)
            for core, (a, b) in self.rows(s, stage).items():
                events[core] += a
                rows[core] += b
                cycles[t, core] += a * float(m.cycles_per_event) + b * float(m.cycles_per_row)
        return cycles, events, rows, received, sent, carried

    def late(self, spikes, n_steps):
        """Counts of late spikes, lost spikes, dropped packets and lost synaptic events; spikes: sources first in each step."""
        m, n = self.machine, len(self.units)
        by_step, ahead = defaultdict(list), defaultdict(float)
        for t, s in spikes:
            by_step[t].append(s)
        backlog, found = [0.0] * n, Counter()
        for t in range(n_steps):
            busy, own = [ahead[t, k] for k in range(n)], [self.fixed(k) for k in range(n)]
            closed, missed = set(), []
            for s in by_step[t]:
                unit = self.unit_of[s]
                own[unit] += float(m.cycles_per_spike)
                rows, dropped = self.rows(s, 0), set()
                for core in self.goes[unit]:
                    if self.is_core[core]:
                        if busy[core] >= self.budget:
                            closed.add(core)
                        if core in closed:
                            found["dropped"] += 1
                            dropped.add(core)
                        else:
                            busy[core] += float(m.cycles_per_packet)
                            a, b = rows.get(core, (0, 0))
                            busy[core] += a * float(m.cycles_per_event) + b * float(m.cycles_per_row)
                missed.append(dropped)
                for stage in self.stages(s)[1:]:
                    for core in self.goes[self.extension_of[s]]:
                        ahead[t + stage * self.slots, core] += float(m.cycles_per_packet)
                    for core, (a, b) in self.rows(s, stage).items():
                        more = a * float(m.cycles_per_event) + b * float(m.cycles_per_row)
                        ahead[t + stage * self.slots, core] += more
            late = [0] * n
            for k in range(n):
                if self.is_core[k]:
                    todo = backlog[k] + own[k]
                    late[k] = max(0, math.ceil((busy[k] + todo) / self.budget) - 1)
                    backlog[k] = max(0.0, todo - max(0.0, self.budget - busy[k]))
            for s, dropped in zip(by_step[t], missed, strict=True):
                k = self.unit_of[s]
                lost = late[k] >= int(m.key_colors)
                found["late"] += late[k] > 0 and not lost
                found["lost"] += lost
                for core, d, _ in self.synapses[s]:
                    if t + d < n_steps and (lost or late[k] >= d or (core in dropped and d <= self.slots)):
                        found["events"] += 1
        return found
