"""What the documentation site holds beside the pages in docs/: made when it is built, from the code and the results."""
