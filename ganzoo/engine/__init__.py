"""Training engine: iterations of players, optimizers, CUDA graphs and the exponential moving average of the weights."""
