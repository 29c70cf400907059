"""Training: the iteration, its precision, checkpoints, the run folder, and the loop around them."""
