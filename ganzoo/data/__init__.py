"""From pictures to batches: what a data set is, how images are fitted to a size, how batches are drawn."""
