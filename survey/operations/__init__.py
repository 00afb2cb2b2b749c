"""State of the system for those who operate it: servers, background work, queues, folders, metrics."""
