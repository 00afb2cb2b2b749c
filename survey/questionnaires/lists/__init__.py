"""Code lists: tables of long lists, their documents, search and names."""
