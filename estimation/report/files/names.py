"""Names and media types of the files of a release, apart from the libraries that write them. Pure."""

MANIFEST = "manifest.json"
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
    "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


def media_type(path: str) -> str:
    """Media type of a file of the bundle by its ending."""
    return MEDIA_TYPES[path.rpartition(".")[2]]
