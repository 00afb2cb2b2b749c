"""A request that creates something is carried out once, however often it is sent."""
