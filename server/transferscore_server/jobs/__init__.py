"""Rankings as jobs: queued, leased, run by workers, resumed after any death."""
