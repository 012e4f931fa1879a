"""The eigendecomposition of a symmetric matrix, its vectors made only where they are asked for.

The matrix is reduced to a tridiagonal one, Q T Q^T, and T is decomposed, W diag(values) W^T. That
already gives the eigenvalues and the coordinates of some columns in the eigenbasis, W^T Q^T c, all
that most scores read. The eigenvectors Q W themselves cost about as much again.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, lapack

__all__ = ["Eigenbasis"]

_Matrix = NDArray[np.float64]

# Columns that the reflections are applied to at a time.
_COLUMNS = 256


class Eigenbasis:
    """Eigenvalues and eigenvectors of a symmetric matrix.

    Attributes:
        values: `(p,)` eigenvalues, ascending.
        kept: Positions of those whose vectors are wanted, in the order in which they are given.
    """

    def __init__(self, matrix: _Matrix) -> None:
        """Decompose `matrix` `(p, p)`, of which only the lower triangle is read.

        Raises:
            LinAlgError: The iteration does not converge, as on numbers that are not finite.
        """
        # By a power of two, which changes no digit, so that squares of any entry stay in range.
        size = float(np.abs(matrix.diagonal()).max())
        exponent = int(np.frexp(size)[1]) if size > 0.0 else 0
        reduced = np.ldexp(matrix, -exponent, order="F")
        work = int(lapack.dsytrd_lwork(len(matrix), lower=1)[0])
        self._reduced, diagonal, beside, self._factors, info = lapack.dsytrd(
            reduced, lower=1, lwork=work, overwrite_a=1
        )
        beside = beside if len(beside) > 0 else np.zeros(1)
        values, self._inner, failed = lapack.dstevd(diagonal, beside)
        if info != 0 or failed != 0:
            raise LinAlgError("The eigenvalues of the features' scatter did not converge.")
        self.values: NDArray[np.float64] = np.ldexp(values, exponent)
        self.kept = np.arange(len(values))

    def coordinates(self, columns: _Matrix) -> _Matrix:
        """`columns` `(p, m)` in the basis of all eigenvectors, by ascending eigenvalue `(p, m)`."""
        turned = np.array(columns, order="F")
        self._reflect(turned, "T")
        found: _Matrix = self._inner.T @ turned
        return found

    @cached_property
    def vectors(self) -> _Matrix:
        """The eigenvectors that are kept `(p, len(kept))`."""
        vectors = np.empty((len(self.values), len(self.kept)), order="F")
        for start in range(0, len(self.kept), _COLUMNS):
            block = slice(start, start + _COLUMNS)
            vectors[:, block] = self._inner[:, self.kept[block]]
            self._reflect(vectors[:, block], "N")
        # Nothing asks for coordinates once the spectrum stands, nor for the vectors again.
        del self._reduced, self._inner
        return vectors

    def _reflect(self, columns: _Matrix, transposed: str) -> None:
        """Multiply by Q, or by its transpose, in place; the first row is not touched by it."""
        p = len(columns)
        if p < 2:
            return
        # The reflectors stand below the diagonal: the same memory, begun one entry later, has one
        # more row than the columns, which is not read.
        shifted = self._reduced.reshape(-1, order="F")[1 : 1 + p * (p - 1)]
        reflectors = shifted.reshape(p, p - 1, order="F")
        work = 64 * max(p, columns.shape[1])
        columns[1:] = lapack.dormqr("L", transposed, reflectors, self._factors, columns[1:], work)[
            0
        ]
