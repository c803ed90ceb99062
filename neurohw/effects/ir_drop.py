"""ir_drop: wires have resistance, so a cell far from its driver and its converter gives less current than its conductance.

The array, n rows and m columns of conductances g: rows are driven at the end of column 0, columns are sensed at the end
of row 0, at virtual ground. Between neighboring crossings, and between the array and driver or sense line, lies one segment of
wire. Rows that are not read are held at 0 V. Then the circuit is linear with the same resistances whatever rows are
read, so currents superpose: the array acts as one matrix of *effective* conductances, the current of column j per volt
on row i. It needs to be found once for given conductances and not at every read. (Where unread rows float or are cut
off by a selector, it would depend on who else is read; that is not modeled.)
"""

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from neurohw.effects.effect import Effect
from neurohw.schema import In, Number

Values = NDArray[np.float64]


class IrDrop(Effect):
    """Effective conductances of an array whose wires have `row` and `column` resistance per segment.

    method "product":  g' = g a b, with a the voltage along a row whose columns are grounded and b the share of a
    current that a column delivers while rows are grounded; two ladders, O(n m). It leaves out that the voltage of one
    wire feeds back on the others, which is small beside the drop itself (measured in docs/explanation/crossbar.md).
    method "exact": the nodal equations by block elimination, O(n m^3).
    """

    name: ClassVar[str] = "ir_drop"
    paper: ClassVar[str] = (
        "Chen, IEEE Trans. Electron Devices 60, 1318 (2013); 0.35 Ohm per cell: Rasch et al., Nat. Commun. 14 (2023) 5282"
    )
    row: Annotated[Number, In("MOhm", at_least=0)]
    column: Annotated[Number, In("MOhm", at_least=0)]
    method: Literal["product", "exact"] = "product"

    def effective(self, g: Values) -> Values:
        """Effective conductances (uS) of one array, or of a stack of them; g: uS, (..., rows, columns), >= 0."""
        if self.method == "product":
            return g * self.sensitivity(g)
        flat = g.reshape(-1, *g.shape[-2:])
        return np.stack([_exact(one, float(self.row), float(self.column)) for one in flat]).reshape(g.shape)

    def sensitivity(self, g: Values) -> Values:
        """How much of a change of its conductance is seen of each cell (a b above); this is what read noise is scaled by."""
        return attenuation(g, float(self.row)) * attenuation(g.swapaxes(-1, -2), float(self.column)).swapaxes(-1, -2)


def attenuation(g: Values, resistance: float) -> Values:
    """Voltage at each crossing of a wire driven with 1 V at its beginning, its cells to ground; the last axis runs along it.

    y_k = r g_k + y_{k+1} / (1 + y_{k+1}),   v_k = v_{k-1} / (1 + y_k),   y beyond the end = 0, v before the beginning = 1
    """
    n = g.shape[-1]
    v = np.empty_like(g, dtype=float)
    beyond = np.zeros(g.shape[:-1])
    for k in range(n - 1, -1, -1):
        y = resistance * g[..., k] + beyond / (1.0 + beyond)
        v[..., k] = 1.0 / (1.0 + y)
        beyond = y
    return np.cumprod(v, axis=-1)


def _exact(g: Values, row: float, column: float) -> Values:
    """The nodal equations, row after row from the far end of the columns to the sense line.

    With u the column voltages at row i and c = 1/column, what lies beyond row i acts on it as a Norton source: currents
    N V (one column of N for each of these rows, V their drive) and an admittance matrix Y. Row i itself adds h V_i - K u:

        A = L + D,  h = D A^-1 e_0 / row,  K = D A^-1 L      L: ladder of the row's wire with its driver, D = diag(g_i)
        M = (Y + K + c)^-1,   N <- c M [N, h],   Y <- c M (Y + K)

    After the last row N is the answer. Written without differences of nearly equal numbers: against a sparse nodal
    solve it agrees to 1e-12.
    """
    n, m = g.shape
    found, admittance = np.zeros((m, n)), np.zeros((m, m))
    if column == 0.0:
        return g * attenuation(g, row)
    c, ladder = 1.0 / column, _ladder(m)
    for above, i in enumerate(range(n - 1, -1, -1)):
        d = g[i]
        if row == 0.0:
            h, k = d.copy(), np.diag(d)
        else:
            inverse = np.linalg.solve(ladder + row * np.diag(d), np.column_stack((np.eye(m)[:, :1], ladder)))
            h, k = d * inverse[:, 0], d[:, None] * inverse[:, 1:]
            k = 0.5 * (k + k.T)
        seen = admittance + k
        factor = cho_factor(seen + c * np.eye(m), lower=True)
        found[:, above] = h
        found[:, : above + 1] = c * cho_solve(factor, found[:, : above + 1])
        admittance = c * cho_solve(factor, seen)
        admittance = 0.5 * (admittance + admittance.T)
    return found.T[::-1]


def _ladder(m: int) -> Values:
    """The Laplacian of m nodes in a row, unit conductances, with one more to the driver before the first."""
    found = 2.0 * np.eye(m) - np.eye(m, k=1) - np.eye(m, k=-1)
    found[-1, -1] = 1.0
    return found
