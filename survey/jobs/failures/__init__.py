"""What an administrator does with failed jobs."""
