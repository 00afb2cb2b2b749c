"""What storages raise besides FileNotFoundError and the OSError of a full disk or quota."""

import errno

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FilesUnavailable(Exception):
    """The server of the files does not answer, or refuses this site. Whether a file was written is unknown."""
