"""The main job on real digits, on a fresh machine: a small zoo, its ranking, and the truth."""
