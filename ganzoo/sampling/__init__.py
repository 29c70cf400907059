"""Making images with a trained GAN, and files of them."""
