"""Evidence accumulation learned by e-prop, in float: 50 LIF and 50 ALIF neurons, as Bellec et al. 2020 have them.

    python benchmarks/evidence.py [--iterations 400] [--feedback symmetric|random|adaptive] [--seed 1] [--recorded FOLDER]

Prints the error of fresh batches while it learns, and of 512 fresh samples at the end; stops early below 4 % (mean of the last
ten batches). --recorded: the folder of dataset_cueAcc_train.dat and dataset_cueAcc_test.dat (see neurohw.learning.tasks.evidence),
on which the learned network is tested too.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurohw.connections import AllToAll
from neurohw.learning.conventions import CONVENTIONS
from neurohw.learning.eprop import EProp
from neurohw.learning.feedback import Feedback
from neurohw.learning.optimizers import Adam
from neurohw.learning.rule import Rates
from neurohw.learning.surrogate import Surrogate
from neurohw.learning.tasks.evidence import Evidence, read_recorded
from neurohw.network import Network, Numerics

V_TH, TAU, TAU_A, BATCH = 0.6, 20.0, 2000.0, 64


def network(seed: int, n: int = 100) -> Network:
    """The published neurons in the house's terms: a reset one step late is v_reset = v_th - v_th/alpha, beta is beta/rho."""
    alpha, rho = np.exp(-1 / TAU), np.exp(-1 / TAU_A)
    beta = np.where(np.arange(n) < n // 2, 0.0, 1.7 * (1 - rho) / (1 - alpha) / rho)
    membrane = {"v_rest": 0.0, "v_thresh": V_TH, "v_reset": V_TH - V_TH / alpha, "tau_m": TAU, "tau_refrac": 4.0}
    made = Network("evidence", seed, numerics=Numerics(reset="subtract")).population("cues", 40, "SpikeSourceArray")
    made = made.population("hidden", n, "ALIF", membrane | {"tau_a": TAU_A, "beta": beta}, initial={"v": 0.0})
    made = made.population("choice", 2, "LI", {"v_rest": 0.0, "tau_m": TAU}, initial={"v": 0.0})
    for source, target in (("cues", "hidden"), ("hidden", "hidden"), ("hidden", "choice")):
        made = made.project(source, target, AllToAll(), 0.0, 1.0, "excitatory", "SignedSynapse")
    return made


def start(seed: int, n: int = 100) -> dict[str, np.ndarray]:
    """Initial weights: N(0, 1/fan-in); of the readout times 1 - kappa, which is the published readout's gain."""
    draw = np.random.default_rng(seed)
    w_rec = draw.normal(0, 1 / np.sqrt(n), (n, n))
    np.fill_diagonal(w_rec, 0.0)
    w_out = draw.normal(0, 1 / np.sqrt(n), (n, 2)) * -np.expm1(-1 / TAU)
    return {
        "cues to hidden": draw.normal(0, 1 / np.sqrt(40), (40, n)),
        "hidden to hidden": w_rec,
        "hidden to choice": w_out,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=400)
    parser.add_argument("--feedback", choices=("symmetric", "random", "adaptive"), default="random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recorded", type=Path)
    given = parser.parse_args()
    task, weights = Evidence(), start(given.seed)
    out = -np.expm1(-1 / TAU)
    drawn = np.random.default_rng(given.seed + 100).normal(0, 1, (100, 2)) * out
    feedback = Feedback(
        given.feedback, None if given.feedback == "symmetric" else drawn, 0.002 * (given.feedback == "adaptive")
    )
    learner = EProp(
        network(given.seed), form=replace(CONVENTIONS["online"], rates="mean trace"), surrogate=Surrogate(height=0.3 / V_TH, width=V_TH), feedback=feedback,
        rates=Rates(300.0, 10.0), average=True,
    )  # fmt: skip
    rates = {"cues to hidden": 5e-3, "hidden to hidden": 5e-3, "hidden to choice": 5e-3 * out}
    optimizer, errors, began = Adam(rates), [], time.process_time()
    for k in range(given.iterations):
        found = learner.simulate(task.batch(k * BATCH, BATCH, given.seed), weights)
        changes = optimizer.changes(found.weights)
        weights = {name: (1 - learner.decay.get(name, 0.0)) * w + changes[name] for name, w in weights.items()}
        learner.applied(changes)
        errors.append(found.metrics["error"].mean())
        if k % 10 == 9:
            mean, rate = np.mean(errors[-10:]), found.metrics["rate"].mean()
            spent = (time.process_time() - began) / (k + 1)
            print(
                f"{k + 1:4d}  error {mean:.3f}  loss {found.loss:.3f}  {rate:4.1f} Hz  {spent:.2f} s each", flush=True
            )
            if mean < 0.04:
                break
    test = [
        learner.simulate(task.batch(k * 64, 64, given.seed + 1000), weights).metrics["error"].mean() for k in range(8)
    ]
    print(f"error on 512 fresh samples: {np.mean(test):.3f} (chance 0.5)")
    for part in ("train", "test") if given.recorded else ():
        batch = read_recorded(given.recorded / f"dataset_cueAcc_{part}.dat")
        print(f"error on the recorded {part} set: {learner.simulate(batch, weights).metrics['error'].mean():.3f}")


if __name__ == "__main__":
    main()
