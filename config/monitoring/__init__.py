"""What an operator watches: logs, metrics and traces."""
