"""RenamedEncoder: an encoder under another name, where two would share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transferscore.encoders.encoder import Batch, Described, Encoder, Encoding, Sample

__all__ = ["RenamedEncoder", "unwrapped"]


@dataclass(frozen=True, slots=True)
class RenamedEncoder:
    """The same model under another name; its numbers and digest are unchanged.

    Attributes:
        encoder: The encoder that does the work.
        name: What the report calls it.
    """

    encoder: Encoder
    name: str

    def digest(self) -> str | None:
        """The digest of the model, which a name does not change."""
        return self.encoder.digest()

    def details(self) -> Mapping[str, str]:
        """As the encoder has them."""
        return self.encoder.details() if isinstance(self.encoder, Described) else {}

    def cost(self, sample: Sample) -> int:
        """As the encoder has it."""
        return self.encoder.cost(sample)

    def prepare(self, samples: Sequence[Sample]) -> Batch:
        """As the encoder does it."""
        return self.encoder.prepare(samples)

    def forward(self, batch: Batch) -> Encoding:
        """As the encoder does it."""
        return self.encoder.forward(batch)

    def release(self) -> None:
        """As the encoder does it."""
        self.encoder.release()


def unwrapped(encoder: object) -> object:
    """The encoder that does the work, under whatever names."""
    while isinstance(encoder, RenamedEncoder):
        encoder = encoder.encoder
    return encoder
