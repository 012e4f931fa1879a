"""Features: extraction in batches, and the store that keeps them."""

from transferscore.features.extraction import extract_features
from transferscore.features.features import Features
from transferscore.features.store import Entry, Store, default_store_path, open_store

__all__ = [
    "Entry",
    "Features",
    "Store",
    "default_store_path",
    "extract_features",
    "open_store",
]
