"""Scores: how well features fit labels. Higher is better, always. One formula, one file."""
