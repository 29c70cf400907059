"""Making images with what was trained: of noise, classes, captions, codes and other images; and files of them."""
