"""The main job on real digits, on a fresh machine: a small zoo, its ranking, and the truth.

Eight networks that take seconds to train stand for the pretrained models that a user would
download; the digits 5 to 9 that scikit-learn ships stand for the user's own data.
"""

from transferscore.demo.run import DemoResult, run_demo

__all__ = ["DemoResult", "run_demo"]
