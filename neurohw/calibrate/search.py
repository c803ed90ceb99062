"""Binary search for codes: of all circuits at once, each going its own way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurohw import rng
from neurohw.effects.parameter_codes import Cell

Codes = dict[str, NDArray[np.int64]]
Measured = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Found:
    """codes: of each circuit the one that came nearest to the target. own: what the last rounds say of each circuit, on
    average; they tried nearly the same code, so they are several measurements of it. values: what `codes` give by that.
    """

    codes: NDArray[np.int64]
    own: NDArray[np.float64]
    values: NDArray[np.float64]


LAST = 5
"""Rounds whose measurements are averaged: codes differ by 2^4 at most in them."""


def search(
    cells: Mapping[str, Cell],
    targets: Mapping[str, float],
    measure: Callable[[Codes], Measured],
    n: int,
    noise: int = 0,
    key: np.uint64 | None = None,
) -> dict[str, Found]:
    """Codes of several cells at a time whose measurement does not depend on each other: cell -> Found.

    Each circuit halves its interval of codes in each of about log2(top) rounds, upwards where what it measured lies below
    the target (or above it, where a larger code gives less). noise: whole numbers from -noise to noise, drawn from
    `key`, are added to the codes that are tried, so that not all circuits have the same code at once; the makers' tool
    does so with 5, because equal codes disturb each other.
    """
    low = {name: np.zeros(n, np.int64) for name in cells}
    high = {name: np.full(n, int(cell.top)) for name, cell in cells.items()}
    own: dict[str, list[NDArray[np.float64]]] = {name: [] for name in cells}
    for turn in range(max(int(cell.top).bit_length() for cell in cells.values())):
        tried = {}
        for name, cell in cells.items():
            jitter = _jitter(noise, rng.subkey(key or rng.key(0, "search"), f"{name}/{turn}"), n)
            tried[name] = np.clip((low[name] + high[name]) // 2 + jitter, 0, int(cell.top))
        found = measure(tried)
        for name, cell in cells.items():
            values = found[name]
            up = (values < targets[name]) == cell.rises
            low[name] = np.where(up, np.minimum(tried[name], high[name]), low[name])
            high[name] = np.where(up, high[name], np.maximum(tried[name], low[name]))
            own[name].append(np.where(np.isfinite(values), cell.own(tried[name].astype(float), values), np.nan))
    return {name: _found(cell, targets[name], own[name]) for name, cell in cells.items()}


def _jitter(noise: int, key: np.uint64, n: int) -> NDArray[np.int64]:
    """Whole numbers from -noise to noise."""
    return np.floor(rng.uniform(key, n) * (2 * noise + 1)).astype(np.int64) - noise


def _found(cell: Cell, target: float, own: list[NDArray[np.float64]]) -> Found:
    last = np.array(own[-LAST:])
    there = np.isfinite(last)
    mean = np.where(there, last, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    mean = np.where(there.any(axis=0), mean, float(cell.code))
    codes = cell.rounded(cell.wanted(np.full(mean.size, target), mean))
    return Found(codes, mean, cell.value(codes.astype(float), mean))
