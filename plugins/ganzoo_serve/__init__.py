"""The page to play with: what it asks for, what it shows, and the server that it comes from (`ganzoo serve`)."""
