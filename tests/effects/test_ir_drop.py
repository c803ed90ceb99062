"""Voltage drop along wires: the block elimination against a sparse nodal solve, the product form against both."""

import numpy as np
import pytest

from neurohw.effects.ir_drop import IrDrop, attenuation
from neurohw.schema import Number
from tests.oracles.nodal import transfer

WIRE = 0.35e-6
"""0.35 Ohm in MOhm."""


def wires(method, row=WIRE, column=WIRE):
    return IrDrop(row=Number(row), column=Number(column), method=method)


def array(n, m, seed=1, mean=None):
    drawn = np.random.default_rng(seed)
    return drawn.uniform(0, 25, (n, m)) if mean is None else np.minimum(drawn.exponential(mean, (n, m)), 25.0)


@pytest.mark.parametrize(("row", "column"), [(WIRE, WIRE), (2.5e-6, 1e-6), (1e-3, 1e-4)])
def test_exact_is_the_nodal_solution_on_64_by_64(row, column):
    g = array(64, 64)
    reference = transfer(g, row, column)
    np.testing.assert_allclose(wires("exact", row, column).effective(g), reference, rtol=1e-9)


def test_arrays_that_are_not_square_and_stacks_of_them():
    g = np.stack([array(7, 4, seed) for seed in (1, 2)])
    found = wires("exact", 1e-4, 1e-3).effective(g)
    for one, seen in zip(g, found, strict=True):
        np.testing.assert_allclose(seen, transfer(one, 1e-4, 1e-3), rtol=1e-10)


@pytest.mark.parametrize(("n", "mean", "row_error", "column_error"), [(64, None, 6e-4, 1e-4), (256, 3.0, 3e-3, 1e-3)])
def test_the_error_of_the_product_form(n, mean, row_error, column_error):
    """Per cell relative to the largest conductance, and of the sum of a column relative to itself; beside the drop."""
    g = array(n, n, mean=mean)
    exact, product = wires("exact").effective(g), wires("product").effective(g)
    drop = 1 - exact.sum(axis=0) / g.sum(axis=0)
    per_cell = np.abs(product - exact).max() / 25.0
    per_column = np.abs(product.sum(axis=0) / exact.sum(axis=0) - 1).max()
    print(f"{n} x {n}: drop {drop.mean():.4f}, error per cell {per_cell:.2g} of g_max, per column {per_column:.2g}")
    assert per_cell < row_error
    assert per_column < column_error < drop.mean() / 10


def test_the_product_form_is_exact_for_a_single_line():
    """One row has no other to feed back on, nor has one column."""
    for shape in ((1, 40), (40, 1)):
        g = array(*shape)
        row, column = (1e-3, 1e-9) if shape[0] == 1 else (1e-9, 1e-3)
        np.testing.assert_allclose(
            wires("product", row, column).effective(g), transfer(g, row, column).reshape(shape), rtol=2e-6
        )


def test_without_resistance_nothing_drops():
    g = array(5, 6)
    for method in ("exact", "product"):
        np.testing.assert_allclose(wires(method, 0.0, 0.0).effective(g), g, rtol=1e-14)
    np.testing.assert_allclose(wires("exact", 0.0, 1e-4).effective(g), transfer(g, 1e-13, 1e-4), rtol=1e-6)


def test_the_ladder():
    """Two cells: the driver sees r, then a cell beside r and the last cell."""
    g, r = np.array([3.0, 5.0]), 0.01
    last = 5.0 / (1 + r * 5.0)
    first = 1 / (1 + r * (3.0 + last))
    np.testing.assert_allclose(attenuation(g, r), [first, first / (1 + r * 5.0)])


def test_sensitivity_is_what_a_change_of_a_cell_brings():
    """dI/dg of one cell, by a small change of it in the nodal solution, for the drive of its own row."""
    g = array(12, 12)
    sensitivity, base = wires("product").sensitivity(g), transfer(g, WIRE, WIRE)
    for i, j in ((0, 0), (5, 7), (11, 11)):
        changed = g.copy()
        changed[i, j] += 0.01
        found = (transfer(changed, WIRE, WIRE)[i, j] - base[i, j]) / 0.01
        assert found == pytest.approx(sensitivity[i, j], rel=1e-3)
