"""The web processes and the proxy in front of them: listening, limits by route, headers, warm start."""
