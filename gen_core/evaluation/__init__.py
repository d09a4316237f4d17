"""How good samples are: distances, coverage, copies, cost."""
