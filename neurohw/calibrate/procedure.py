"""The procedure: which cell after which, and what is left when it is done."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw import rng, workbench
from neurohw.calibrate.bench import Bench
from neurohw.calibrate.search import Codes, Found, search
from neurohw.calibration import Calibration, Residual
from neurohw.device import Device, load_device
from neurohw.errors import BadInput, OutOfRange, Unsupported

TARGETS = {
    "v_leak": -65.0, "v_reset": -65.0 - 10 / 3, "v_threshold": -50.0, "i_bias_leak": 10.0,
    "i_bias_tau_exc": 10.0, "i_bias_tau_inh": 10.0, "i_bias_gm_exc": 1.0, "i_bias_gm_inh": 1.0,
}  # fmt: skip
"""What the makers' tool calibrates to by default: leak 80, reset 70, threshold 125 (codes of 8 bit), 10 us each."""
INPUTS = ("i_bias_tau_exc", "i_bias_tau_inh", "i_bias_gm_exc", "i_bias_gm_inh")
NOISE = 5
"""Amplitude of the whole numbers that are added to the codes while searching, as the makers' tool does."""
TRIM = 0.05


def calibrate(
    device: Device | str,
    seed: int = 0,
    chip: Any = None,
    targets: Mapping[str, float] | None = None,
    noise: int = NOISE,
    progress: Callable[[str, float], None] | None = None,
) -> Calibration:
    """Measure one specimen through its public face (load, configure, run), and find the codes that make it uniform.

    chip: anything with a chip's face; by default the specimen `seed` of the device. targets: cell -> value, by default
    TARGETS; the laws of the cells carry the result to other values. noise: of the codes that are tried, see `search`;
    0 gives a plain binary search.
    Order: leak, tau_m, reset, threshold, then time constants and strengths of both synaptic inputs together.
    Raises Unsupported for a device whose parameters have no codes, OutOfRange for targets that no code reaches.
    """
    kind = load_device(device) if isinstance(device, str) else device
    if kind.effect("parameter_codes") is None:
        raise Unsupported(
            f"{kind.title}: its parameters have no codes, so there is nothing to calibrate; brainscales2-chip has them"
        )
    wanted = _targets(kind, targets or {})
    bench = Bench(kind, chip if chip is not None else workbench.fabricate(kind, seed), wanted, 0.1)
    show = progress or (lambda what, share: None)
    show("measuring the uncalibrated chip", 0.0)
    before = bench.everything(bench.typical())
    found = _search(bench, noise, show)
    show("measuring what is left", 0.9)
    after = bench.everything({name: f.codes for name, f in found.items()})
    residuals = {
        name: Residual(cell.parameter, cell.unit, wanted[name], *spread(before[name]), *spread(after[name]))
        for name, cell in bench.cells.items()
    }
    specimen, own = seed if chip is None else None, {name: f.own for name, f in found.items()}
    return Calibration(kind.name, kind.fingerprint, specimen, bench.circuits.copy(), own, residuals)


def _search(bench: Bench, noise: int, show: Callable[[str, float], None]) -> dict[str, Found]:
    """cell -> Found, one cell after the other, the inputs together."""
    codes, found = bench.typical(), dict[str, Found]()

    def settle(
        names: tuple[str, ...], measure: Callable[[Codes], dict[str, NDArray[np.float64]]], share: float
    ) -> None:
        show(f"calibrating {', '.join(names)}", share)
        cells = {name: bench.cells[name] for name in names}
        key = rng.key(0, "calibrate")
        found.update(search(cells, bench.targets, lambda tried: measure({**codes, **tried}), bench.n, noise, key))
        codes.update({name: found[name].codes for name in names})

    settle(("v_leak",), lambda tried: {"v_leak": bench.leak(tried)}, 0.1)
    settle(("i_bias_leak",), lambda tried: {"i_bias_leak": bench.tau_m(tried)}, 0.2)
    settle(("v_reset",), lambda tried: {"v_reset": bench.reset(tried)}, 0.35)
    lifted, reset = bench.lifted_leak(codes), found["v_reset"].values
    settle(("v_threshold",), lambda tried: {"v_threshold": bench.threshold(tried, lifted, reset)}, 0.5)
    tau_m = found["i_bias_leak"].values
    settle(INPUTS, lambda tried: bench.synapses(tried, tau_m), 0.65)
    return found


def _targets(device: Device, given: Mapping[str, float]) -> dict[str, float]:
    cells = device.effect("parameter_codes").cells
    if unknown := [name for name in given if name not in cells]:
        raise BadInput(f"calibrate: no cell {unknown[0]!r}; there are {', '.join(cells)}")
    found = {name: float(given.get(name, TARGETS[name])) for name in cells}
    for name, cell in cells.items():
        limits = device.parameters.get(cell.parameter)
        code = cell.wanted(np.array([found[name]]), np.array([float(cell.code)]))[0] if found[name] else np.inf
        if not 0 <= code <= cell.top or (limits and not limits.low <= found[name] <= limits.high):
            near = f"{limits.low:g} to {limits.high:g}" if limits else f"values near {cell.at_code:g}"
            raise OutOfRange(
                f"calibrate: {name}: {found[name]:g} {cell.unit} is out of range; {device.name} has {near}"
            )
    return found


def spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """(mean, standard deviation) without the outermost 5 % at either end."""
    there = np.sort(values[np.isfinite(values)])
    cut = int(TRIM * there.size)
    kept = there[cut : there.size - cut] if there.size > 2 * cut else there
    return (float(kept.mean()), float(kept.std())) if kept.size else (float("nan"), float("nan"))
