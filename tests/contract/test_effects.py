"""Every effect: it names its paper, can be written down, is used by a device, and can be switched off alone.

Switching one off leaves the draws of all others bit for bit as they were: no draw depends on which other effects there
are.
"""

import json

import numpy as np
import pytest

from neurohw import workbench
from neurohw.effects import EFFECTS
from neurohw.schema import Described
from tests import small

SEED = 11
BUILDS_ON = {
    "read_noise": {"programming_noise", "set_pulse", "stuck_cells"},
    "set_pulse": {"read_noise", "stuck_cells"},
    "drift": {"stuck_cells"},
    "parameter_codes": {"mismatch"},
}
"""What an effect's data follow from beside its own draws: read noise grows with the conductance that was reached, a write
by SET pulses stops at a noisy read, a stuck device holds what it holds and does not drift, and the codes that the makers'
calibration sets are for the circuits that there are."""


def users(effect):
    return [name for name in small.DEVICES if small.device(name).effect(effect) is not None]


@pytest.mark.parametrize("effect", EFFECTS)
def test_it_says_what_it_is(effect):
    kind = EFFECTS[effect]
    assert kind.name == effect
    assert issubclass(kind, Described)
    assert any(character.isdigit() for character in kind.paper), "a paper with its year"
    assert (kind.__doc__ or "").strip()
    json.dumps(kind.model_json_schema())


@pytest.mark.parametrize("effect", EFFECTS)
def test_some_device_has_it(effect):
    assert users(effect), f"no device file has {effect}: nothing shows what it does"


@pytest.mark.parametrize("effect", EFFECTS)
def test_it_can_be_written_down_and_frozen(effect):
    for name in users(effect):
        found = small.device(name).effect(effect)
        json.dumps(found.model_dump(mode="json"))
        assert type(found).model_validate(found.model_dump()) == found
        field = next(iter(type(found).model_fields))
        with pytest.raises(ValueError, match="frozen"):
            setattr(found, field, getattr(found, field))


def pairs():
    return [(name, effect.name) for name in small.DEVICES for effect in small.device(name).effects]


@pytest.mark.parametrize(("name", "effect"), pairs())
def test_switching_it_off_leaves_all_other_draws(name, effect):
    network = small.recurrent_short(small.models_of(name)[0])
    full, less = (fabricated(network, device) for device in (small.device(name), small.device(name).without(effect)))
    assert set(less) == set(full) - {effect}
    for other in less:
        if effect in BUILDS_ON.get(other, set()):
            continue
        for ours, theirs in zip(full[other], less[other], strict=True):
            assert np.array_equal(ours, theirs), f"{other} changed when {effect} was left out"


@pytest.mark.parametrize(("name", "effect"), pairs())
def test_switching_it_off_still_runs(name, effect):
    network = small.recurrent_short(small.models_of(name)[0])
    device = small.device(name).without(effect)
    program = workbench.map_network(network, device)
    recording = workbench.run(program, workbench.fabricate(device, SEED), 20.0)
    assert recording.spikes["drive"][0].size
    assert f"without {effect}" in recording.manifest["device"]


def fabricated(network, device):
    """effect -> arrays that it alone has drawn (or decided) on this specimen."""
    chip = workbench.fabricate(device, SEED)
    chip.load(workbench.map_network(network, device))
    return {effect.name: DATA[effect.name](effect, chip) for effect in device.effects}


def mismatch(effect, chip):
    found = chip.circuits.made
    return [found[population][p] for population in sorted(found) for p in sorted(found[population]) if "gain" not in p]


def of_circuits(draw):
    def data(effect, chip):
        circuits = chip.loaded.payload.table.columns["circuit"]
        return [circuits, draw(effect, chip.key(effect.name), circuits)]

    return data


DATA = {
    "mismatch": mismatch,
    "weight_noise": of_circuits(lambda effect, key, circuits: effect.factors(key, circuits)),
    "synapse_loss": of_circuits(lambda effect, key, circuits: effect.alive(key, circuits)),
    "weight_resolution": lambda effect, chip: [chip.programmed],
    "parameter_codes": lambda effect, chip: [codes for of in chip.set_codes.values() for codes in of.values()],
    "configuration_noise": lambda effect, chip: [
        effect.off_codes(np.zeros(5), chip.circuits._of_trial(3, "v_leak"), np.arange(5))
    ],
    "temporal_noise": lambda effect, chip: [chip._noise_per_step()],
    "readout": lambda effect, chip: [effect.noises(chip.key("readout/noise"), np.arange(3), np.arange(5))],
    "spike_loss": lambda effect, chip: [chip.loaded.payload.links],
    "programming_noise": lambda effect, chip: [chip.devices.g],
    "set_pulse": lambda effect, chip: [chip.devices.g],
    "drift": lambda effect, chip: [chip.devices.nu],
    "read_noise": lambda effect, chip: [chip.devices.quality],
    "adc": lambda effect, chip: [chip.array.converters.factor, chip.array.converters.offset],
    "dac": lambda effect, chip: [effect.amplitudes(np.ones(512), chip.key("dac"), np.arange(512))],
    "ir_drop": lambda effect, chip: [effect.sensitivity(np.full((64, 64), 5.0))],
    "dead_lines": lambda effect, chip: [effect.alive("rows", chip.key("dead_lines"), np.arange(512))],
    "stuck_cells": lambda effect, chip: [chip.bench.stuck],
    "fixed_point": lambda effect, chip: [chip.coefficients, chip.words.lsb],
}
"""Where a chip keeps what an effect has drawn: a new effect gets a line here."""


def test_each_effect_is_looked_at():
    assert set(DATA) == set(EFFECTS)
