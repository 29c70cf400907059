"""Trained GANs for others: files that other programs run, and the Hugging Face Hub."""
