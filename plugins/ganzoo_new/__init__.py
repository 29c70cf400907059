"""A new GAN's package: its name looked at, its files made from templates that are themselves a GAN called my-gan."""
