"""What a new installation still needs before a round can be opened."""
