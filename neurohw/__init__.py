"""neurohw: one spiking network, many kinds of neuromorphic hardware, held against a reference.

    import neurohw as nh
    network = nh.networks.vogels_abbott(n=4000, seed=1)
    program = nh.map_network(network, nh.load_device("spinnaker-spin5"), dt="1 ms")
    chip = nh.fabricate(program.device, seed=7)
    recording = nh.run(program, chip, duration="1 s")

Names are loaded when they are first used, so that `import neurohw` takes no time.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from neurohw.kernel_cache import choose as _choose

__version__ = "0.1.0"

_HOME = {
    "networks": "neurohw.networks",
    **dict.fromkeys(("Network", "Numerics"), "neurohw.network"),
    **dict.fromkeys(("Uniform", "Normal"), "neurohw.distributions"),
    **dict.fromkeys(
        (
            "AllToAll",
            "OneToOne",
            "FixedProbability",
            "FixedTotalNumber",
            "FixedNumberPre",
            "FixedNumberPost",
            "FromList",
        ),
        "neurohw.connections",
    ),
    "STDPMechanism": "neurohw.synapses",
    "read_nir": "neurohw.frontends.nir",
    **dict.fromkeys(("Device", "load_device"), "neurohw.device"),
    **dict.fromkeys(("Mapping", "load_mapping"), "neurohw.mapping"),
    **dict.fromkeys(("map_network", "fabricate", "run", "run_reference"), "neurohw.workbench"),
    **dict.fromkeys(("Program", "Chip", "Capabilities"), "neurohw.program"),
    "calibrate": "neurohw.calibrate",
    "train": "neurohw.study.training",
    **dict.fromkeys(("Calibration", "load_calibration"), "neurohw.calibration"),
    "Recording": "neurohw.recording",
    "load_recording": "neurohw.recording_files",
    **dict.fromkeys(("load_program", "load_network"), "neurohw.storage"),
    "read_recording": "neurohw.recording_imports",
    **dict.fromkeys(("compare",), "neurohw.study.compare"),
    "Comparison": "neurohw.study.comparison",
    "sweep": "neurohw.study.sweep",
    "ablate": "neurohw.study.ablate",
    "verify": "neurohw.study.verify",
    "Verification": "neurohw.study.verification",
    **dict.fromkeys(
        ("NeurohwError", "BadInput", "DoesNotFit", "Unsupported", "OutOfRange", "NotReadable"), "neurohw.errors"
    ),
}

__all__ = ["__version__", *_HOME]

_choose()


def __getattr__(name: str) -> _Any:
    if name not in _HOME:
        raise AttributeError(f"module 'neurohw' has no attribute {name!r}")
    module = _import_module(_HOME[name])
    return module if _HOME[name] == f"neurohw.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
