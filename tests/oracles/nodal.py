"""Twin of `effects.ir_drop`: every node of an array and every resistor between two of them, as one sparse system."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve


def transfer(g, row, column):
    """Current of each column (uA) per volt on each row, all other rows at 0 V: (rows, columns).

    g: uS. Row i is driven through a segment of `row` MOhm at the end of column 0; column j is sensed at virtual ground
    through a segment of `column` MOhm at the end of row 0.
    """
    n, m = g.shape
    at, to, value = [], [], []

    def resistor(a, b, conductance):
        for one, other, y in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
            if one is not None and other is not None:
                at.append(one), to.append(other), value.append(y * conductance)

    for i in range(n):
        for j in range(m):
            upper, lower = i * m + j, n * m + i * m + j
            resistor(upper, lower, g[i, j])
            resistor(upper, upper - 1 if j else None, 1 / row)
            resistor(lower, lower - m if i else None, 1 / column)
    drive = np.zeros((2 * n * m, n))
    drive[np.arange(n) * m, np.arange(n)] = 1 / row
    voltages = spsolve(coo_matrix((value, (at, to))).tocsc(), drive)
    return voltages[n * m : n * m + m].T / column
