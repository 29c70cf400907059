"""Built-in callbacks: logging, sampling, evaluation, checkpoints and warnings."""
