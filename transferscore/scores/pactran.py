"""What the PACTran scores share: their paper, and priors that are spread as the labels are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transferscore.errors import InputError
from transferscore.statistics import Statistics

__all__ = ["BIBTEX", "PAPER", "prior_counts"]

PAPER = (
    "Ding et al. (2022), PACTran: PAC-Bayesian metrics for estimating the transferability of "
    "pretrained models to classification tasks, ECCV"
)

BIBTEX = """@inproceedings{ding2022pactran,
  title = {{PACTran}: {PAC}-{B}ayesian Metrics for Estimating the Transferability of Pretrained
           Models to Classification Tasks},
  author = {Ding, Nan and Chen, Xi and Levinboim, Tomer and Changpinyo, Soravit and Soricut, Radu},
  booktitle = {European Conference on Computer Vision},
  year = {2022}
}"""


def prior_counts(statistics: Statistics, alpha: float, n_rounds: int) -> NDArray[np.float64]:
    """Prior counts `(K, 1)` of one source class: `alpha` in all, spread as the labels are.

    Raises:
        InputError: `alpha` is not positive, or there is no round.
    """
    if not alpha > 0.0:
        raise InputError(f"`alpha` must be positive; got {alpha}.")
    if n_rounds < 1:
        raise InputError(f"`n_rounds` must be at least 1; got {n_rounds}.")
    # The published code adds this against classes without samples; kept, so that values agree.
    return (alpha * statistics.target_mean + 1e-10)[:, None]
