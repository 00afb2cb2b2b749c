"""The site on several hosts: each a network namespace with processes and folders of its own."""
