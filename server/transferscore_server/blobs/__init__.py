"""Bytes by their digest: uploaded datasets."""
