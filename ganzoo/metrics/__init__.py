"""How good what a GAN makes is: figures, the extractors that look at images for them, and the protocol of each."""
