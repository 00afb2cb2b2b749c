"""Tables of this side, named by what they do."""
