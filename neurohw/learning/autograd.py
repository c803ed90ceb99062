"""Gradients by PyTorch's automatic differentiation, where it is installed: the network of `cells` written out in tensors.

A judge from outside for `gradient_check`; slow, and for small networks. float64.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.errors import Unsupported
from neurohw.learning.batch import Batch
from neurohw.learning.rule import Rule

Array = NDArray[np.float64]


def gradients(
    rule: Rule, batch: Batch, w_in: Array, w_rec: Array, w_out: Array, detached: bool = False
) -> tuple[Array, Array, Array]:
    """(input, recurrent, readout) gradients of the loss, (pre, post); surrogate for dz/dv, none through the reset.

    detached: recurrent synapses get spikes that carry no gradient; the spike that raises a neuron's own threshold does.
    Raises Unsupported without PyTorch, and for cells that are set to a value at a spike.
    """
    torch = _torch()
    cells = rule.cells
    if cells.holds:
        raise Unsupported("autograd: neurons that are reset to a value; take reset by subtraction")
    weights = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in (w_in, w_rec, w_out)]
    loss = torch.zeros((), dtype=torch.float64)
    for s in range(batch.n_samples):
        y = _readout(torch, rule, np.concatenate([x[s] for x in batch.spikes.values()], axis=1), weights, detached)
        loss = loss + _loss(torch, y, batch, s, rule.average)
    (loss / batch.n_samples).backward()
    found = [w.grad.numpy() for w in weights]
    np.fill_diagonal(found[1], 0.0)
    return found[0], found[1], found[2]


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise Unsupported("autograd needs PyTorch, which is not installed; `gradient_check` does without") from None
    return torch


def _spike(torch: Any, rule: Rule) -> Any:
    """A step whose derivative is the surrogate: z = (over > 0), dz/d over = height f(|over|/width), 0 while refractory."""
    height, width = (torch.tensor(part) for part in rule.surrogate.scaled(rule.cells.threshold))
    shapes = {
        "piecewise_linear": lambda u: torch.clamp(1 - u, min=0), "exponential": lambda u: torch.exp(-u),
        "fast_sigmoid_derivative": lambda u: (1 + u) ** -2, "arctan_derivative": lambda u: 1 / (1 + u * u),
    }  # fmt: skip

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx, over, free):
            ctx.save_for_backward(over, free)
            above = over > 0 if rule.cells.strict else over >= 0
            return (above & free).double()

        @staticmethod
        def backward(ctx, *grads):
            over, free = ctx.saved_tensors
            return grads[0] * free * height * shapes[rule.surrogate.shape](over.abs() / width), None

    return Spike.apply


def _readout(torch: Any, rule: Rule, x: NDArray, weights: list[Any], detached: bool) -> Any:
    c, spike = rule.cells, _spike(torch, rule)
    w_in, w_rec, w_out = weights[0] * c.gain_in, weights[1] * c.gain_in, weights[2] * c.gain_out
    alpha, rho, beta, threshold, drop, bias = (
        torch.tensor(part) for part in (c.alpha, c.rho, c.beta, c.threshold, c.drop, c.bias)
    )
    blocked, given, zero = torch.tensor(c.blocked), torch.tensor(x, dtype=torch.float64), torch.zeros(c.size).double()
    d_in, d_rec, d_out = c.delays
    v, a, left, y = zero, zero, torch.zeros(c.size, dtype=torch.int64), torch.zeros(w_out.shape[1]).double()
    z: list[Any] = []
    out: list[Any] = []
    for t in range(len(x)):
        into = bias + (given[t - d_in] @ w_in if t >= d_in else 0.0)
        if t >= d_rec:
            sent = z[t - d_rec].detach() if detached else z[t - d_rec]
            into = into + sent @ w_rec
        v, a = alpha * v + into, rho * a
        fired = spike(v - threshold - beta * a, left <= 0)
        z.append(fired)
        v, a = v - drop * fired.detach(), a + fired
        left = torch.where(fired > 0, blocked, torch.clamp(left - 1, min=0))
        y = c.kappa * y + (z[t - d_out] @ w_out if t >= d_out else 0.0)
        out.append(y)
    return torch.stack(out)


def _loss(torch: Any, y: Any, batch: Batch, s: int, average: bool) -> Any:
    counted = torch.tensor(batch.counted[s])
    share = 1.0 / float(counted.sum()) if average else 1.0
    if batch.targets is not None:
        return 0.5 * ((y - torch.tensor(batch.targets[s])) ** 2)[counted].sum() * share
    assert batch.labels is not None
    labels = torch.tensor(np.broadcast_to(batch.labels[s], len(y)).copy())
    return -torch.log_softmax(y, dim=1)[torch.arange(len(y)), labels][counted].sum() * share
