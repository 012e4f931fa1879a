"""Ranking: candidates in order, with intervals, ties, failures and agreement with the truth."""
